import { Fault, type FaultCode } from '@postern/protocol/fault.ts'
import { abortFault } from '../files/faults.ts'

interface Told {
  readonly code: FaultCode
  readonly says: string
  readonly remedy?: string
}

const DENIED: Told = {
  code: 'STORE_DENIED',
  says: 'the credential may not do this',
  remedy: 'Give it the permissions read and list, and for copies into it create, write and delete; see also the firewall of the account.',
}

const BY_CODE: Readonly<Record<string, Told>> = {
  ContainerNotFound: { code: 'FILE_MISSING', says: 'there is no such container', remedy: 'Check account and container of the store.' },
  ContainerBeingDeleted: { code: 'STORE_BUSY', says: 'the container is being deleted' },
  AuthenticationFailed: {
    code: 'STORE_DENIED',
    says: 'the credential was not accepted',
    remedy:
      'Seal accountKey, sasToken or connectionString again; a signature may also have expired, or the clock of the node be more than 15 minutes off.',
  },
  InvalidAuthenticationInfo: { code: 'STORE_DENIED', says: 'the credential was not accepted', remedy: 'Seal it again.' },
  AuthorizationFailure: DENIED,
  AuthorizationPermissionMismatch: DENIED,
  AuthorizationProtocolMismatch: { code: 'STORE_DENIED', says: 'the signature is for HTTPS only', remedy: 'Use an https:// endpoint.' },
  AuthorizationServiceMismatch: { ...DENIED, says: 'the signature is not for blobs' },
  AuthorizationResourceTypeMismatch: { ...DENIED, says: 'the signature is not for containers and objects' },
  InsufficientAccountPermissions: DENIED,
  AccountIsDisabled: { code: 'STORE_DENIED', says: 'the account is disabled' },
  PublicAccessNotPermitted: DENIED,
  NoAuthenticationInformation: DENIED,
  ServerBusy: { code: 'STORE_BUSY', says: 'it asks for fewer requests' },
  ConditionNotMet: { code: 'STORE_LOST', says: 'the object was changed while it was read' },
  LeaseIdMissing: { code: 'FILE_EXISTS', says: 'another program holds a lease on it' },
  BlobImmutableDueToPolicy: { code: 'STORE_DENIED', says: 'a policy of the container forbids to change it' },
  InvalidBlockList: { code: 'ATTEMPT_STALE', says: 'the blocks were taken away while the upload was going on' },
  Md5Mismatch: { code: 'STORE_LOST', says: 'bytes were changed on the way' },
}

const TLS = /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO)/
const UNREACHABLE = /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|REQUEST_SEND_ERROR)/

/** What the SDK throws, as a fault. Its own texts may hold parts of the request: only codes and numbers are passed on. */
export function azureFault(cause: unknown, at: string, signal?: AbortSignal): Fault {
  if (cause instanceof Fault) return cause
  if (signal?.aborted) return abortFault(signal)
  const code = codeOf(cause)
  const status = statusOf(cause)
  const fault = (told: Told) =>
    new Fault(told.code, { at: `${at}: ${told.says}`, ...(told.remedy === undefined ? {} : { remedy: told.remedy }) })
  const known = BY_CODE[code]
  if (known) return fault(known)
  if (TLS.test(code)) {
    const remedy =
      'Check that the endpoint speaks TLS with a certificate that the node trusts (NODE_EXTRA_CA_CERTS for an authority of your own).'
    return fault({ code: 'STORE_UNREACHABLE', says: `no answer (${code})`, remedy })
  }
  if (code === 'HOST_DENIED') return new Fault('HOST_DENIED', { at })
  if (UNREACHABLE.test(code)) {
    const remedy = 'Check account and endpoint, and that the node can reach it: name, port, firewall, proxy.'
    return fault({ code: 'STORE_UNREACHABLE', says: `no answer (${code})`, remedy })
  }
  if (/^(?:ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)/.test(code))
    return fault({ code: 'STORE_LOST', says: `the connection broke (${code})` })
  if (status === 403 || status === 401) return fault(DENIED)
  if (status === 404) return new Fault('FILE_MISSING', { at })
  if (status === 429 || status === 503) return fault({ code: 'STORE_BUSY', says: `it is busy (${status})` })
  if (status !== undefined && status >= 500) return fault({ code: 'STORE_LOST', says: `it failed (${status} ${code})` })
  if (status !== undefined) return fault({ code: 'STORE_DENIED', says: `it refused the request (${status} ${code})` })
  return new Fault('INTERNAL', { at: `${at}: ${code}` })
}

export function statusOf(cause: unknown): number | undefined {
  const status = (cause as { statusCode?: unknown } | undefined)?.statusCode
  return typeof status === 'number' ? status : undefined
}

/** There is no such blob, in a container that is there. */
export function isMissing(cause: unknown): boolean {
  return statusOf(cause) === 404 && codeOf(cause) !== 'ContainerNotFound'
}

/** The service's own code; else that of the connection, or the error's name. */
export function codeOf(cause: unknown): string {
  const error = cause as { code?: unknown; name?: unknown; details?: { errorCode?: unknown }; cause?: { code?: unknown } } | undefined
  const found = [error?.details?.errorCode, error?.cause?.code, error?.code, error?.name].find((one) => typeof one === 'string')
  return typeof found === 'string' && /^[A-Za-z0-9_.]{1,80}$/.test(found) ? found : 'unknown'
}
