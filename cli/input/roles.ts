/** The names of roles, without loading the schemas: every command line would pay for them. */
import type { AuditFormat, AuditOutcome } from '@postern/protocol/api/audit.ts'
import type { GrantRole } from '@postern/protocol/api/grants.ts'
import type { RoleName } from '@postern/protocol/api/tokens.ts'

export const SERVICE_ROLES = ['administrator', 'operator', 'user', 'reader', 'none'] as const satisfies readonly RoleName[]
export const GRANT_ROLES = [
  'administrator',
  'operator',
  'user',
  'gateway-admin',
  'store-creator',
  'store-owner',
  'store-user',
  'reader',
] as const satisfies readonly GrantRole[]
export const AUDIT_OUTCOMES = ['done', 'refused', 'failed'] as const satisfies readonly AuditOutcome[]
export const AUDIT_FORMATS = ['ndjson', 'csv'] as const satisfies readonly AuditFormat[]
