import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from 'node-red';
import { heldMessages } from '../../../nodes/shared/in-flight';
import { emitter, InputHandler } from '../../../nodes/shared/input-handler';
import type { EdgeMessage } from '../../../nodes/shared/messages';

const nodeWith = (wires: string[][]): Node => ({ id: 'n', type: 't', wires }) as unknown as Node;

test('a message goes to the output that it is for, and nothing is sent where no wire is', () => {
  const node = nodeWith([['a'], [], ['b', 'c'], ['d']]);
  const sent: (EdgeMessage | null)[][] = [];
  const emit = emitter(node, (slots) => sent.push(slots));
  const msg = { _msgid: 'm' };
  for (let output = 0; output <= 4; output++) {
    emit(output, msg);
  }
  assert.deepEqual(sent, [[msg], [null, null, msg], [null, null, null, msg]]);
  (node as unknown as { wires: string[][] }).wires = [[], ['e']];
  emit(0, msg);
  emit(1, msg);
  assert.deepEqual(sent.slice(3), [[null, msg]], 'a deployment that changed only wires');
});

test('a message is held for as long as it is served, until after Node-RED was told what came of it', async () => {
  const handler = new InputHandler(nodeWith([]), undefined);
  const before = heldMessages();
  const outcomes: [input: () => Promise<void>, message: string | undefined][] = [
    [() => Promise.resolve(), undefined],
    [() => Promise.reject(new Error('broken')), 'broken'],
  ];
  for (const [input, message] of outcomes) {
    const told = new Promise<{ error: Error | undefined; held: number }>((resolve) =>
      handler.serve(
        { input },
        { _msgid: 'm' },
        () => undefined,
        (error) => resolve({ error, held: heldMessages() }),
      ),
    );
    assert.equal(heldMessages(), before + 1);
    const { error, held } = await told;
    assert.equal(held, before + 1);
    assert.equal(error?.message, message);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(heldMessages(), before);
  }
});
