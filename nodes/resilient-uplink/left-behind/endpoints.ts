import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import { answerWith } from '../../shared/dialog/answer';
import { runningNode } from '../../shared/dialog/running';
import { EdgeError } from '../../shared/errors';
import type { LeftBehind } from '../../shared/left-behind';
import type { AdoptionRequest } from '../adoptions';
import { adoptionOf } from '../operations';
import type { LeftBehindStores } from './left-behind-stores';
import type { ExportPage, ExportPosition } from './store-look';

/** What a running uplink offers here. */
export interface AdoptingNode {
  adopt(request: AdoptionRequest): Promise<{ adopted: LeftBehind }>;
}

/**
 * `GET /edge/uplink-stores` lists what was left behind; `GET /edge/uplink-stores/export?store=` gives what is in a store as
 * lines of JSON; `POST /edge/resilient-uplink/:id/adopt` with `{store, deadLetters?}` lets a node deliver it. A store is
 * named by its identity or its file.
 */
export function registerLeftBehind(RED: NodeAPI, stores: LeftBehindStores): void {
  // They read what is stored, which may be confidential.
  const permission = RED.auth.needsPermission('flows.write');
  RED.httpAdmin.get('/edge/uplink-stores', permission, (_request, response) => {
    answerWith(response, async () => ({ stores: await stores.list() }));
  });
  RED.httpAdmin.get('/edge/uplink-stores/export', permission, (request, response) => {
    const { store } = request.query as Record<string, unknown>;
    let begun = false;
    answerWith(
      {
        json: (body) => (begun ? undefined : response.json(body)),
        // What was begun can only be broken off, so that nobody takes a part for the whole.
        status: (code) => (begun ? { json: () => response.destroy() } : response.status(code)),
      },
      async () => {
        const { file, store: identity } = await stores.find(wantedOf(store));
        const first = await stores.exportPage(file, { priority: 0, after: 0 });
        begun = true;
        response.setHeader('content-type', 'application/x-ndjson');
        response.setHeader('content-disposition', `attachment; filename="outbox-${identity}.ndjson"`);
        await send(response, first, (position) => stores.exportPage(file, position));
      },
    );
  });
  RED.httpAdmin.post('/edge/resilient-uplink/:id/adopt', permission, (request, response) => {
    answerWith(response, () =>
      runningNode<AdoptingNode>(RED, 'resilient-uplink', String(request.params.id), 'adopt').adopt(
        adoptionOf(request.body),
      ),
    );
  });
}

/** One page at a time, as fast as they are taken. */
async function send(
  response: ServerResponse,
  first: ExportPage,
  next: (position: ExportPosition) => Promise<ExportPage>,
): Promise<void> {
  for (let page: ExportPage | undefined = first; page; page = page.next && (await next(page.next))) {
    if (response.destroyed) {
      return;
    }
    if (page.text.byteLength > 0 && !response.write(page.text)) {
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
  }
  response.end();
}

function wantedOf(store: unknown): string {
  if (typeof store !== 'string' || store === '') {
    throw new EdgeError('REQUEST', 'The parameter "store" must be the identity or the file of a store.');
  }
  return store;
}
