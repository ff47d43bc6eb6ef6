import { refuseUserInfo } from '../shared/address';
import { ConfigReader } from '../shared/config-reader';
import { EdgeError } from '../shared/errors';

/** Properties of an `edge-http`. */
export interface HttpConfig {
  name: string;
  url: URL;
  method: 'POST' | 'PUT';
  headers: { name: string; value: string }[];
  timeoutMs: number;
  /** Id of a core `tls-config` node. */
  tls: string;
}

export function parseHttpConfig(raw: unknown): HttpConfig {
  const config = new ConfigReader(raw);
  const address = config.text('url');
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new EdgeError('CONFIG', 'Property "url" must be an address such as https://host/path.', {
      property: 'url',
    });
  }
  refuseUserInfo(url);
  return {
    name: config.text('name'),
    url,
    method: config.choice('method', ['POST', 'PUT'], 'POST'),
    headers: config
      .list('headers', (entry) => ({ name: entry.text('name').toLowerCase(), value: entry.text('value') }))
      .filter(({ name }) => name !== '')
      .map(checkHeader),
    timeoutMs: config.number('timeout', 10, { min: 0.1, max: 3600 }) * 1000,
    tls: config.text('tls'),
  };
}

function checkHeader(header: { name: string; value: string }): { name: string; value: string } {
  if (
    !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(header.name) ||
    /[^\t\u0020-\u007e\u0080-\u00ff]/.test(header.value)
  ) {
    throw new EdgeError('CONFIG', `Property "headers": "${header.name}" is no valid HTTP header.`, {
      property: 'headers',
    });
  }
  return header;
}
