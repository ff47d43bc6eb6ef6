/**
 * What a person has to correct before a refusal ends: `credential`, who this client is, which holds up everything;
 * `permission`, what it may do, which may hold up some topics only.
 */
export type Fault = 'credential' | 'permission';

/** Why a connection does not work, and what to do where that is known. */
export interface Trouble {
  reason: string;
  fault?: Fault;
}

/** CONNACK codes of MQTT 3.1.1 (3.2.2.3) and MQTT 5 (3.2.2.2) that lie in who the client is. */
const REFUSED_CLIENT = new Set([0x04, 0x05, 0x86, 0x87, 0x8a, 0x8c]);
const REFUSED_CLIENT_ID = new Set([0x02, 0x85]);
const WRONG_VERSION = new Set([0x01, 0x84]);

/** Errors of the network by code: what can be done beside what they say. */
const NETWORK: Partial<Record<string, string>> = {
  ENOTFOUND: 'check the host name, and the name server of this machine',
  EAI_AGAIN: 'the name server does not answer; check the network of this machine',
};

/** Errors about certificates by the end of their code, which OpenSSL's versions begin differently. */
const CERTIFICATES: [RegExp, string][] = [
  [
    /^CERT_HAS_EXPIRED$/,
    "the server's certificate has expired: renew it there, or correct this machine's clock",
  ],
  [/^CERT_NOT_YET_VALID$/, "the server's certificate is not valid yet: correct this machine's clock"],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    "the server's certificate was made for another name: use that name in the address, or as server name in the TLS configuration",
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT.*|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/,
    "the server's certificate comes from nobody who is trusted here: enter its CA in the TLS configuration",
  ],
  [
    /ALERT_CERTIFICATE_REQUIRED$/,
    'the server asks for a client certificate: enter certificate and key in the TLS configuration',
  ],
  [/ALERT_CERTIFICATE_EXPIRED$/, 'the client certificate has expired: renew it in the TLS configuration'],
  [
    /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_(UNKNOWN|REVOKED)|ACCESS_DENIED|DECRYPT_ERROR|HANDSHAKE_FAILURE)$/,
    'the server refuses the certificate in its TLS configuration: correct it',
  ],
  [/KEY_VALUES_MISMATCH$/, 'certificate and key do not belong together: correct the TLS configuration'],
];

/** Whether an error means that the other side closed the connection. */
export function isClosedByPeer(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

/** Why a connection failed. */
export function troubleOf(error: Error): Trouble {
  const text = error.message || error.name;
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'number') {
    return refusalOf(code, text);
  }
  if (typeof code !== 'string') {
    return { reason: text };
  }
  const certificate = CERTIFICATES.find(([ending]) => ending.test(code));
  if (certificate) {
    return { reason: certificate[1], fault: 'credential' };
  }
  if (code.endsWith('WRONG_VERSION_NUMBER')) {
    return { reason: 'the server does not speak TLS on this port: correct the address' };
  }
  const advice = NETWORK[code];
  return { reason: advice ? `${text}: ${advice}` : text };
}

/** What a broker's answer to CONNECT means. */
function refusalOf(code: number, text: string): Trouble {
  if (WRONG_VERSION.has(code)) {
    return { reason: `${text}: set "protocolVersion" of the edge-broker to MQTT 3.1.1` };
  }
  if (REFUSED_CLIENT.has(code)) {
    return {
      reason: `${text}: correct the user name and password, client certificate or device key of the edge-broker`,
      fault: 'credential',
    };
  }
  if (REFUSED_CLIENT_ID.has(code)) {
    return { reason: `${text}: correct the client id of the edge-broker`, fault: 'credential' };
  }
  return { reason: text };
}
