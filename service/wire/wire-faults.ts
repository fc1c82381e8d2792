import { Fault, type FaultCode } from '@postern/protocol/fault.ts'
import { fatal } from './wire-messages.ts'

/** What a driver knows a failure by. Codes that are not here are told by their kind. */
const SQLSTATES: Partial<Record<FaultCode, string>> = {
  TOKEN_MISSING: '28P01',
  TOKEN_INVALID: '28P01',
  TLS_REQUIRED: '28000',
  NOT_ALLOWED: '42501',
  STORE_UNKNOWN: '3D000',
  WIRE_UNSUPPORTED: '0A000',
  WIRE_INVALID: '08P01',
  NO_NODE_AVAILABLE: '57P03',
  STOPPING: '57P03',
  SESSIONS_AT_LIMIT: '53300',
  GATEWAY_AT_LIMIT: '53300',
  STORE_BUSY: '53300',
  STORE_UNREACHABLE: '08001',
  STORE_DENIED: '08004',
  CREDENTIAL_UNREADABLE: '08004',
  STORE_LOST: '08006',
  NODE_OFFLINE: '08006',
  SESSION_ENDED: '57P01',
  DATABASE_UNREACHABLE: '57P03',
  TIMED_OUT: '57P03',
  INTERNAL: 'XX000',
}

const BY_KIND: Readonly<Record<Fault['kind'], string>> = {
  input: '08P01',
  denied: '42501',
  missing: '3D000',
  conflict: '55000',
  limit: '53300',
  remote: '08006',
  stopped: '57P01',
  bug: 'XX000',
}

/** The store's own SQLSTATE where it refused the client's parameters; what it says of its credential is not about the client's token. */
export function sqlstateOf(fault: Fault): string {
  const own = fault.details['sqlstate']
  if (typeof own === 'string' && /^[0-9A-Z]{5}$/.test(own) && !own.startsWith('28')) return own
  return SQLSTATES[fault.code] ?? BY_KIND[fault.kind]
}

export function errorResponse(cause: unknown): Buffer {
  const fault = Fault.from(cause)
  return fatal({ sqlstate: sqlstateOf(fault), message: fault.message, hint: fault.remedy })
}
