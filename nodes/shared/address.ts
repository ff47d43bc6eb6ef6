import { EdgeError } from './errors';

/** Refuses an address that carries a user name or password; throws `CONFIG` without repeating them. */
export function refuseUserInfo(url: URL): void {
  if (url.username || url.password) {
    throw new EdgeError(
      'CONFIG',
      'Property "url" must hold no user name or password: flows are shared. Use the fields below.',
      { property: 'url' },
    );
  }
}
