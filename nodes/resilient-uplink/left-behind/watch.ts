import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { systemClock } from '../../shared/clock';
import { toEdgeError } from '../../shared/errors';
import { defaultDataDir } from '../../shared/gateway';
import { provideLeftBehind } from '../../shared/left-behind';
import { listStation } from '../../shared/station';
import { DataFolders } from './data-folders';
import { registerLeftBehind } from './endpoints';
import { LeftBehindStores } from './left-behind-stores';
import { leftBehindText, parseStoreFolder } from './store-folder';

export interface LeftBehindWatch {
  stores: LeftBehindStores;
  /** Call when an uplink begins to store in a data folder. */
  use(dataDir: string): void;
}

/** Watches the data folders of this Node-RED for outboxes without an owner, and tells about each in the log once. */
export function watchLeftBehind(RED: NodeAPI): LeftBehindWatch {
  const usual = defaultDataDir(RED);
  const folders = new DataFolders(join(usual, 'uplink-folders'));
  const stores = new LeftBehindStores({
    clock: systemClock,
    folders: async () => {
      const used = listStation().flatMap((entry) => entry.gateway()?.dataDir ?? []);
      return [...new Set([usual, ...(await folders.list()), ...used])];
    },
    isOwned,
  });
  const told = new Set<string>();
  const tell = async (): Promise<void> => {
    stores.changed();
    for (const { store, file, messages } of await stores.list()) {
      if (messages > 0 && !told.has(file)) {
        told.add(file);
        RED.log.warn(`[resilient-uplink] ${leftBehindText(messages, file, store)}`);
      }
    }
  };
  RED.events.on('flows:started', () => {
    tell().catch((thrown: unknown) => RED.log.warn(`[resilient-uplink] ${toEdgeError(thrown).message}`));
  });
  provideLeftBehind(() => stores.list());
  registerLeftBehind(RED, stores);
  return {
    stores,
    use: (dataDir) => {
      if (dataDir !== usual) {
        folders
          .note(dataDir)
          .catch((thrown: unknown) =>
            RED.log.warn(`[resilient-uplink] ${usual} cannot be written: ${toEdgeError(thrown).message}`),
          );
      }
    },
  };
}

/** Also that of a node that could not start, or is about to: it will want it. */
function isOwned(dataDir: string, folder: string): boolean {
  const { node, adopter } = parseStoreFolder(folder);
  return listStation().some(({ id, type, gateway }) => {
    if (type !== 'resilient-uplink') {
      return false;
    }
    if (adopter !== undefined || folder !== node) {
      return id === adopter;
    }
    const own = gateway()?.dataDir;
    return id === node && (own === undefined || own === dataDir);
  });
}
