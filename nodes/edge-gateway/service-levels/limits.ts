import { join } from 'node:path';
import { EdgeError } from '../../shared/errors';
import { keepFile, readKept } from '../remote/document-file';
import { NO_LIMITS, SERVICE_LEVELS, type ServiceLimits } from '../../shared/service-levels';

const FILE = 'service-levels.json';
const LARGEST = 1e9;

/**
 * Limits as somebody entered them.
 *
 * @throws EdgeError `REQUEST` naming the level
 */
export function parseLimits(body: unknown): ServiceLimits {
  const entered: Record<string, unknown> = typeof body === 'object' && body !== null ? { ...body } : {};
  const limits = { ...NO_LIMITS };
  for (const level of SERVICE_LEVELS) {
    const value = entered[level] ?? 0;
    if (typeof value !== 'number' || !(value >= 0 && value <= LARGEST)) {
      throw new EdgeError('REQUEST', `"${level}" must be a number from 0 (not watched) to ${LARGEST}.`, {
        property: level,
      });
    }
    limits[level] = value;
  }
  return limits;
}

/** The limits that are stored in a folder; none where nothing, or nothing readable, is. */
export function readLimits(folder: string): ServiceLimits {
  try {
    const kept = readKept(join(folder, FILE));
    return kept ? parseLimits(JSON.parse(Buffer.from(kept).toString('utf8'))) : NO_LIMITS;
  } catch {
    return NO_LIMITS;
  }
}

export async function keepLimits(folder: string, limits: ServiceLimits): Promise<void> {
  await keepFile(join(folder, FILE), Buffer.from(`${JSON.stringify(limits)}\n`));
}
