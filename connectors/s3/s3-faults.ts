import { Fault, type FaultCode } from '@postern/protocol/fault.ts'
import { abortFault } from '../files/faults.ts'

interface Told {
  readonly code: FaultCode
  readonly says: string
  readonly remedy?: string
}

const BY_NAME: Readonly<Record<string, Told>> = {
  NoSuchBucket: { code: 'FILE_MISSING', says: 'there is no such bucket', remedy: 'Check bucket, region and endpoint of the store.' },
  AccessDenied: {
    code: 'STORE_DENIED',
    says: 'the access key may not do this',
    remedy:
      'Give it ListBucket on the bucket, GetObject, and for copies into it PutObject, DeleteObject, AbortMultipartUpload and ListMultipartUploadParts.',
  },
  InvalidAccessKeyId: {
    code: 'STORE_DENIED',
    says: 'the access key id is not known',
    remedy: 'Check accessKeyId and endpoint of the store.',
  },
  SignatureDoesNotMatch: {
    code: 'STORE_DENIED',
    says: 'the secret access key is not that of the access key id',
    remedy: 'Seal the right secretAccessKey again; without a slip in it, check region and endpoint.',
  },
  ExpiredToken: { code: 'STORE_DENIED', says: 'the session token has expired', remedy: 'Seal a new sessionToken.' },
  InvalidToken: { code: 'STORE_DENIED', says: 'the session token is not valid', remedy: 'Seal a new sessionToken, or leave it out.' },
  RequestTimeTooSkewed: {
    code: 'STORE_DENIED',
    says: 'the clock of the node is more than 15 minutes off',
    remedy: 'Set the clock of the node, by NTP for good.',
  },
  SlowDown: { code: 'STORE_BUSY', says: 'it asks for fewer requests' },
  NoSuchUpload: { code: 'ATTEMPT_STALE', says: 'the upload was taken away while it was going on' },
  PreconditionFailed: { code: 'STORE_LOST', says: 'the object was changed while it was read' },
  EntityTooLarge: {
    code: 'INPUT_INVALID',
    says: 'the object is larger than the store takes',
    remedy: 'Copy into a folder: a file a part.',
  },
  BadDigest: { code: 'STORE_LOST', says: 'bytes were changed on the way' },
  InvalidDigest: { code: 'STORE_LOST', says: 'bytes were changed on the way' },
}

const UNREACHABLE =
  /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|TimeoutError|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO)/
const BROKEN = /^(?:ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE|UND_ERR)/

/** What the SDK throws, as a fault. Its own texts may hold parts of the request: only names and numbers are passed on. */
export function s3Fault(cause: unknown, at: string, signal?: AbortSignal): Fault {
  if (cause instanceof Fault) return cause
  if (signal?.aborted) return abortFault(signal)
  const { name, status, region } = factsOf(cause)
  const fault = (told: Told, more = '') =>
    new Fault(told.code, { at: `${at}: ${told.says}${more}`, ...(told.remedy === undefined ? {} : { remedy: told.remedy }) })
  if (['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'].includes(name) || status === 301) {
    const where = region === undefined ? '' : ` (${region})`
    return fault({
      code: 'STORE_DENIED',
      says: `the bucket is in another region${where}`,
      remedy: `Set region of the store${region === undefined ? " to the bucket's" : ` to ${region}`}.`,
    })
  }
  const known = BY_NAME[name]
  if (known) return fault(known)
  if (UNREACHABLE.test(name)) {
    const tls = /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO)/.test(name)
    const remedy = tls
      ? 'Check that the endpoint speaks TLS with a certificate that the node trusts (NODE_EXTRA_CA_CERTS for an authority of your own).'
      : 'Check the endpoint, and that the node can reach it: name, port, firewall, proxy.'
    return fault({ code: 'STORE_UNREACHABLE', says: `no answer (${name})`, remedy })
  }
  if (BROKEN.test(name)) return fault({ code: 'STORE_LOST', says: `the connection broke (${name})` })
  if (status === 403) return fault(BY_NAME['AccessDenied'] as Told)
  if (status === 404) return new Fault('FILE_MISSING', { at })
  if (status === 412) return fault(BY_NAME['PreconditionFailed'] as Told)
  if (status === 429 || status === 503) return fault({ code: 'STORE_BUSY', says: `it is busy (${status})` })
  if (status !== undefined && status >= 500) return fault({ code: 'STORE_LOST', says: `it failed (${status} ${name})` })
  if (status !== undefined) return fault({ code: 'STORE_DENIED', says: `it refused the request (${status} ${name})` })
  return new Fault('INTERNAL', { at: `${at}: ${name}` })
}

export function statusOf(cause: unknown): number | undefined {
  return factsOf(cause).status
}

export function nameOf(cause: unknown): string {
  return factsOf(cause).name
}

function factsOf(cause: unknown): { readonly name: string; readonly status: number | undefined; readonly region: string | undefined } {
  const error = cause as {
    name?: string
    code?: string
    Code?: string
    Region?: string
    $metadata?: { httpStatusCode?: number }
    $response?: { headers?: Record<string, string> }
  }
  const named = error?.code ?? (error?.name === 'Error' ? error?.Code : error?.name) ?? 'unknown'
  const region = error?.Region ?? error?.$response?.headers?.['x-amz-bucket-region']
  return {
    name: /^[A-Za-z0-9_.]{1,80}$/.test(named) ? named : 'unknown',
    status: error?.$metadata?.httpStatusCode,
    region: region !== undefined && /^[a-z0-9-]{1,40}$/.test(region) ? region : undefined,
  }
}
