/** Groups, grants and the audit, as parts of the client. */
import type { AuditFormat, AuditOutcome, AuditSettings, AuditView } from '@postern/protocol/api/audit.ts'
import type { GrantCreate, GrantView, GroupChange, GroupCreate, GroupSummary, GroupView } from '@postern/protocol/api/grants.ts'
import type { ListOf } from '@postern/protocol/api/lists.ts'
import type { Roles } from '@postern/protocol/api/rights.ts'
import type { Http } from './http.ts'

const at = (...parts: readonly string[]) => `/v1/${parts.map(encodeURIComponent).join('/')}`

/** All that are given must hold. */
export interface AuditWanted {
  readonly who?: string
  /** One action, or all that begin so: `store`. */
  readonly action?: string
  readonly target?: string
  readonly outcome?: AuditOutcome
  /** ISO 8601. */
  readonly since?: string
  readonly until?: string
  /** With the queries of the query log. */
  readonly queries?: boolean
}

export interface GrantsWanted {
  /** `person/ann`, `group/analysts`, `token/ci` */
  readonly to?: string
  /** `service`, `gateway/demo`, `store/shop` */
  readonly on?: string
}

type All = <Item>(path: string, signal?: AbortSignal, query?: Readonly<Record<string, string>>) => Promise<readonly Item[]>

/** What there is to give, and what each allows. */
export const rolesOf = (http: Http) => ({
  all: (signal?: AbortSignal) => http.json<Roles>('GET', at('roles'), { signal }),
})

export const grantsOf = (http: Http, all: All) => ({
  list: (wanted: GrantsWanted = {}, signal?: AbortSignal) => all<GrantView>(at('grants'), signal, { ...wanted }),
  give: (body: GrantCreate, signal?: AbortSignal) => http.json<GrantView>('POST', at('grants'), { body, signal }),
  take: (id: string, signal?: AbortSignal) => http.json<void>('DELETE', at('grants', id), { signal }),
})

export const groupsOf = (http: Http, all: All) => ({
  list: (signal?: AbortSignal) => all<GroupSummary>(at('groups'), signal),
  get: (group: string, signal?: AbortSignal) => http.json<GroupView>('GET', at('groups', group), { signal }),
  create: (body: GroupCreate, signal?: AbortSignal) => http.json<GroupView>('POST', at('groups'), { body, signal }),
  change: (group: string, body: GroupChange, signal?: AbortSignal) => http.json<GroupView>('PATCH', at('groups', group), { body, signal }),
  delete: (group: string, signal?: AbortSignal) => http.json<void>('DELETE', at('groups', group), { signal }),
  join: (group: string, member: string, signal?: AbortSignal) =>
    http.json<GroupView>('PUT', at('groups', group, 'members', member), { signal }),
  leave: (group: string, member: string, signal?: AbortSignal) =>
    http.json<void>('DELETE', at('groups', group, 'members', member), { signal }),
})

export const auditOf = (http: Http) => ({
  /** Newest first. */
  list: (wanted: AuditWanted & { readonly limit?: number; readonly cursor?: string } = {}, signal?: AbortSignal) =>
    http.json<ListOf<AuditView>>('GET', at('audit'), { query: { ...wanted }, signal }),
  /** Oldest first; the body streams. */
  export: async (wanted: AuditWanted & { readonly format: AuditFormat }, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> =>
    (await http.send('GET', at('audit', 'export'), { accept: '*/*', query: { ...wanted }, signal })).body ?? new Blob([]).stream(),
  settings: (signal?: AbortSignal) => http.json<AuditSettings>('GET', at('audit', 'settings'), { signal }),
  set: (body: AuditSettings, signal?: AbortSignal) => http.json<AuditSettings>('PATCH', at('audit', 'settings'), { body, signal }),
})
