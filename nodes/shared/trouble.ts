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

const CLIENT_CERTIFICATE = 'the certificate in its TLS configuration';

/** Errors of Node.js and OpenSSL by code. */
const ADVICE: Partial<Record<string, { text: string; fault?: Fault }>> = {
  ENOTFOUND: { text: 'check the host name, and the name server of this machine' },
  EAI_AGAIN: { text: 'the name server does not answer; check the network of this machine' },
  CERT_HAS_EXPIRED: {
    text: "the server's certificate has expired: renew it there, or correct this machine's clock",
    fault: 'credential',
  },
  CERT_NOT_YET_VALID: {
    text: "the server's certificate is not valid yet: correct this machine's clock",
    fault: 'credential',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    text: "the server's certificate was made for another name: use that name in the address, or as server name in the TLS configuration",
    fault: 'credential',
  },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    text: 'the server does not speak TLS on this port: correct the address',
  },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: {
    text: 'the server asks for a client certificate: enter certificate and key in the TLS configuration',
    fault: 'credential',
  },
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: {
    text: `the server accepts no connection like this: check ${CLIENT_CERTIFICATE}`,
    fault: 'credential',
  },
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: {
    text: 'the client certificate has expired: renew it in the TLS configuration',
    fault: 'credential',
  },
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: {
    text: 'certificate and key do not belong together: correct the TLS configuration',
    fault: 'credential',
  },
};

const UNKNOWN_ISSUER = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** The server's alerts about the client's certificate. */
const REFUSED_CERTIFICATE =
  /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_(UNKNOWN|REVOKED)|ACCESS_DENIED|DECRYPT_ERROR)$/;

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
  if (UNKNOWN_ISSUER.has(code)) {
    const advice =
      "the server's certificate comes from nobody who is trusted here: enter its CA in the TLS configuration";
    return { reason: `${text}: ${advice}`, fault: 'credential' };
  }
  if (REFUSED_CERTIFICATE.test(code)) {
    return { reason: `the server refuses ${CLIENT_CERTIFICATE}: correct it (${code})`, fault: 'credential' };
  }
  const advice = ADVICE[code];
  return advice
    ? { reason: `${text}: ${advice.text}`, ...(advice.fault && { fault: advice.fault }) }
    : { reason: text };
}

/** What a broker's answer to CONNECT means. */
function refusalOf(code: number, text: string): Trouble {
  if (WRONG_VERSION.has(code)) {
    return { reason: `${text}: set "protocolVersion" of the edge-broker to MQTT 3.1.1` };
  }
  if (REFUSED_CLIENT.has(code)) {
    return {
      reason: `${text}: correct the user name and password, or the client certificate, of the edge-broker`,
      fault: 'credential',
    };
  }
  if (REFUSED_CLIENT_ID.has(code)) {
    return { reason: `${text}: correct the client id of the edge-broker`, fault: 'credential' };
  }
  return { reason: text };
}
