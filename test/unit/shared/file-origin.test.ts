import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { originOf } from '../../../nodes/shared/store/file-origin';

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-origin-'));
});
after(() => rmSync(folder, { recursive: true }));

test('a file keeps its origin over writes, modes and names; a copy has another', async () => {
  const path = join(folder, 'state.db');
  writeFileSync(path, 'state');
  const origin = await originOf(path);
  assert.ok(origin);
  // The clock of file systems goes in steps of some ms.
  await new Promise((resolve) => setTimeout(resolve, 20));
  appendFileSync(path, ' and more');
  chmodSync(path, 0o600);
  const moved = join(folder, 'moved.db');
  renameSync(path, moved);
  assert.equal(await originOf(moved), origin);
  copyFileSync(moved, path);
  assert.notEqual(await originOf(path), origin);
});

test('a copied disk in another board is told by the serial number of the board', async () => {
  const path = join(folder, 'disk.db');
  writeFileSync(path, 'state');
  const board = join(folder, 'serial-number');
  writeFileSync(board, '1421022012345\0');
  const origin = await originOf(path, board);
  assert.match(origin ?? '', / 1421022012345$/);
  writeFileSync(board, '1421022067890\0');
  assert.notEqual(await originOf(path, board), origin);
});
