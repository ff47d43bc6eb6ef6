import { stat } from 'node:fs/promises';
import { isRecord } from '../../shared/dialog/request';
import { availableModels, locateModel, type ModelFolders } from '../model/locate';
import { readCardText } from '../model/model-file';
import { shownName } from './bounds';
import type { ListedModel } from './result';

/** A larger card is not looked into for a list: it is read where every flow runs. */
const MAX_CARD_BYTES = 64 * 1024;

/** The models that can be chosen; files that are none, or lead out of the folders, are left out. */
export async function listModels(folders: ModelFolders): Promise<ListedModel[]> {
  const models = await availableModels(folders);
  const listed = await Promise.all(models.map((model) => entryOf(model, folders)));
  return listed.filter((model) => model !== undefined);
}

async function entryOf(model: string, folders: ModelFolders): Promise<ListedModel | undefined> {
  try {
    const path = await locateModel(model, folders, false);
    const file = await stat(path);
    return file.isFile() ? { model, bytes: file.size, ...(await identityIn(path)) } : undefined;
  } catch {
    return undefined;
  }
}

/** What the model card says that helps to choose; nothing, if it cannot be read. */
async function identityIn(path: string): Promise<Pick<ListedModel, 'name' | 'version' | 'task'>> {
  try {
    const found = await readCardText(path, MAX_CARD_BYTES);
    const card: unknown = found && JSON.parse(found.text);
    if (!isRecord(card)) {
      return {};
    }
    const identity: Pick<ListedModel, 'name' | 'version' | 'task'> = {};
    for (const property of ['name', 'version', 'task'] as const) {
      const value = card[property];
      if (typeof value === 'string' || typeof value === 'number') {
        identity[property] = shownName(String(value));
      }
    }
    return identity;
  } catch {
    return {};
  }
}
