/** The API of a Postern service, typed. `new Client({ url, token }).stores.list()`; failures are Faults. */
import type { Event } from '@postern/protocol/api/events.ts'
import type { GatewayKeys, GatewayView, KeyRotated, NodeView, SettingsPatch } from '@postern/protocol/api/gateways.ts'
import type { ListOf, NodeChange, StoreChange } from '@postern/protocol/api/lists.ts'
import type { GatewayHistory, NodeHistory } from '@postern/protocol/api/node-history.ts'
import type { OidcHandover, OidcProviderPut, OidcProviderView } from '@postern/protocol/api/oidc.ts'
import type {
  PasswordChange,
  PersonChange,
  PersonCreate,
  PersonCreated,
  PersonDetail,
  PersonView,
  SignedIn,
  SignInRequest,
  SignInSettings,
  SignInSettingsChange,
  SignInView,
  SignInWays,
  WhoAmI,
} from '@postern/protocol/api/people.ts'
import type { QueryView } from '@postern/protocol/api/queries.ts'
import type { CopyRequest, RunStatus, RunSummary, RunView } from '@postern/protocol/api/runs.ts'
import type { SessionList, SessionView } from '@postern/protocol/api/sessions.ts'
import type { StoreKindView } from '@postern/protocol/api/store-kinds.ts'
import type { Catalog, StoreCreate, StoreTestResult, StoreView } from '@postern/protocol/api/stores.ts'
import type { TokenCreate, TokenCreated, TokenView } from '@postern/protocol/api/tokens.ts'
import { readEvents } from './events.ts'
import { type ClientOptions, Http } from './http.ts'
import { type QueryOptions, type QueryResult, runQuery } from './query.ts'
import { auditOf, grantsOf, groupsOf, rolesOf } from './rights.ts'

const at = (...parts: readonly string[]) => `/v1/${parts.map(encodeURIComponent).join('/')}`

/** Of the query log; all that are given must hold. */
export interface QueryListFilter {
  readonly store?: string
  readonly outcome?: QueryView['outcome']
  readonly caller?: string
  readonly node?: string
  readonly slowerThanMs?: number
  /** ISO 8601. */
  readonly since?: string
}

/** Of the list of runs; all that are given must hold. */
export interface RunListFilter {
  readonly gateway?: string
  readonly status?: RunStatus | 'active'
  /** In the name or id, or in who started it. */
  readonly text?: string
}

export type GatewayMade = GatewayView & { readonly key1: string; readonly key2: string }
export interface KeyMade {
  readonly key1?: string
  readonly key2?: string
}

/** Only who makes keys loads how: the first page of the portal need not. */
async function newAuthKey() {
  const { makeAuthKey } = await import('@postern/protocol/auth-key.ts')
  return await makeAuthKey((count) => crypto.getRandomValues(new Uint8Array(count)))
}

export interface PageOptions {
  readonly limit?: number
  readonly cursor?: string
  readonly signal?: AbortSignal | undefined
}

export class Client {
  readonly #http: Http

  /** Roles on gateways and stores. */
  readonly grants: ReturnType<typeof grantsOf>
  readonly groups: ReturnType<typeof groupsOf>
  readonly roles: ReturnType<typeof rolesOf>
  readonly audit: ReturnType<typeof auditOf>

  constructor(options: ClientOptions) {
    this.#http = new Http(options)
    const all = <Item>(path: string, signal?: AbortSignal, query: Readonly<Record<string, string>> = {}) =>
      this.#all<Item>(path, signal, query)
    this.grants = grantsOf(this.#http, all)
    this.groups = groupsOf(this.#http, all)
    this.roles = rolesOf(this.#http)
    this.audit = auditOf(this.#http)
  }

  readonly gateways = {
    list: (signal?: AbortSignal) => this.#all<GatewayView>(at('gateways'), signal),
    /** The two authentication keys are made here: the service is given what it must know of them, never the keys. */
    create: async (body: { readonly name: string; readonly settings?: SettingsPatch }, signal?: AbortSignal): Promise<GatewayMade> => {
      const [one, two] = [await newAuthKey(), await newAuthKey()]
      const view = await this.#http.json<GatewayView>('POST', at('gateways'), { body: { ...body, keys: [one.part, two.part] }, signal })
      return { ...view, key1: one.text, key2: two.text }
    },
    get: (gateway: string, signal?: AbortSignal) => this.#http.json<GatewayView>('GET', at('gateways', gateway), { signal }),
    set: (gateway: string, settings: SettingsPatch, signal?: AbortSignal) =>
      this.#http.json<GatewayView>('PATCH', at('gateways', gateway), { body: { settings }, signal }),
    delete: (gateway: string, signal?: AbortSignal) => this.#http.json<void>('DELETE', at('gateways', gateway), { signal }),
    keys: (gateway: string, signal?: AbortSignal) => this.#http.json<GatewayKeys>('GET', at('gateways', gateway, 'keys'), { signal }),
    /** Made here, as with `create`; the answer has `key1` or `key2`. */
    regenerateKey: async (gateway: string, slot: 1 | 2, signal?: AbortSignal): Promise<KeyMade> => {
      const { text, part } = await newAuthKey()
      await this.#http.json<unknown>('POST', at('gateways', gateway, 'keys', String(slot)), { body: part, signal })
      return slot === 1 ? { key1: text } : { key2: text }
    },
    /** `challenge` as of rotation.ts: what shows that the new key was made by who held the old. */
    rotateKey: (gateway: string, challenge?: string, signal?: AbortSignal) =>
      this.#http.json<KeyRotated>('POST', at('gateways', gateway, 'rotate-key'), {
        body: challenge === undefined ? {} : { challenge },
        signal,
      }),
    forgetRecoveryKey: (gateway: string, signal?: AbortSignal) =>
      this.#http.json<void>('DELETE', at('gateways', gateway, 'recovery-key'), { signal }),
  }

  readonly nodes = {
    list: (gateway: string, signal?: AbortSignal) => this.#all<NodeView>(at('gateways', gateway, 'nodes'), signal),
    get: (gateway: string, node: string, signal?: AbortSignal) =>
      this.#http.json<NodeView>('GET', at('gateways', gateway, 'nodes', node), { signal }),
    /** The last hour, as the service that is asked heard it. */
    history: (gateway: string, node: string, signal?: AbortSignal) =>
      this.#http.json<NodeHistory>('GET', at('gateways', gateway, 'nodes', node, 'history'), { signal }),
    /** The last five minutes of all nodes that one may see; of one gateway where it is named. */
    histories: (gateway?: string, signal?: AbortSignal) =>
      this.#all<GatewayHistory>(at('histories'), signal, gateway === undefined ? {} : { gateway }),
    change: (gateway: string, node: string, body: NodeChange, signal?: AbortSignal) =>
      this.#http.json<NodeView>('PATCH', at('gateways', gateway, 'nodes', node), { body, signal }),
    act: (gateway: string, node: string, action: 'drain' | 'enable' | 'disable', signal?: AbortSignal) =>
      this.#http.json<NodeView>('POST', at('gateways', gateway, 'nodes', node, action), { signal }),
    delete: (gateway: string, node: string, signal?: AbortSignal) =>
      this.#http.json<void>('DELETE', at('gateways', gateway, 'nodes', node), { signal }),
  }

  readonly stores = {
    /** What a store can be, and what each kind must be told. */
    kinds: async (signal?: AbortSignal) =>
      (await this.#http.json<{ readonly items: readonly StoreKindView[] }>('GET', at('store-kinds'), { signal })).items,
    list: (signal?: AbortSignal) => this.#all<StoreView>(at('stores'), signal),
    create: (body: StoreCreate, signal?: AbortSignal) => this.#http.json<StoreView>('POST', at('stores'), { body, signal }),
    get: (store: string, signal?: AbortSignal) => this.#http.json<StoreView>('GET', at('stores', store), { signal }),
    change: (store: string, body: StoreChange, signal?: AbortSignal) =>
      this.#http.json<StoreView>('PATCH', at('stores', store), { body, signal }),
    delete: (store: string, signal?: AbortSignal) => this.#http.json<void>('DELETE', at('stores', store), { signal }),
    test: (store: string, options: { readonly node?: string } = {}, signal?: AbortSignal) =>
      this.#http.json<StoreTestResult>('POST', at('stores', store, 'test'), { body: options, signal }),
    catalog: (store: string, path = '', signal?: AbortSignal) =>
      this.#http.json<Catalog>('GET', at('stores', store, 'catalog'), { query: { path }, signal }),
  }

  readonly tokens = {
    list: (signal?: AbortSignal) => this.#all<TokenView>(at('tokens'), signal),
    /** The answer is the only one that holds the token. */
    create: (body: TokenCreate, signal?: AbortSignal) => this.#http.json<TokenCreated>('POST', at('tokens'), { body, signal }),
    delete: (id: string, signal?: AbortSignal) => this.#http.json<void>('DELETE', at('tokens', id), { signal }),
  }

  readonly people = {
    list: (signal?: AbortSignal) => this.#all<PersonView>(at('people'), signal),
    get: (person: string, signal?: AbortSignal) => this.#http.json<PersonDetail>('GET', at('people', person), { signal }),
    /** Without a password the answer has one that is good for one sign-in, and is the only one that holds it. */
    create: (body: PersonCreate, signal?: AbortSignal) => this.#http.json<PersonCreated>('POST', at('people'), { body, signal }),
    change: (person: string, body: PersonChange, signal?: AbortSignal) =>
      this.#http.json<PersonView>('PATCH', at('people', person), { body, signal }),
    resetPassword: (person: string, signal?: AbortSignal) =>
      this.#http.json<PersonCreated>('POST', at('people', person, 'password'), { signal }),
    delete: (person: string, signal?: AbortSignal) => this.#http.json<void>('DELETE', at('people', person), { signal }),
    signIns: async (person: string, signal?: AbortSignal) =>
      (await this.#http.json<{ readonly items: readonly SignInView[] }>('GET', at('people', person, 'sign-ins'), { signal })).items,
    signOut: (person: string, signal?: AbortSignal) =>
      this.#http.json<{ readonly ended: number }>('DELETE', at('people', person, 'sign-ins'), { signal }),
  }

  /** One's own: who one is, and where one is signed in. */
  readonly signIn = {
    ways: (signal?: AbortSignal) => this.#http.json<SignInWays>('GET', at('sign-in', 'ways'), { signal }),
    begin: (body: SignInRequest, signal?: AbortSignal) => this.#http.json<SignedIn>('POST', at('sign-in'), { body, signal }),
    handover: (body: OidcHandover, signal?: AbortSignal) => this.#http.json<SignedIn>('POST', at('sign-in', 'handover'), { body, signal }),
    whoAmI: (signal?: AbortSignal) => this.#http.json<WhoAmI>('GET', at('sign-in'), { signal }),
    end: (signal?: AbortSignal) => this.#http.json<void>('DELETE', at('sign-in'), { signal }),
    changePassword: (body: PasswordChange, signal?: AbortSignal) =>
      this.#http.json<void>('POST', at('sign-in', 'password'), { body, signal }),
    list: async (signal?: AbortSignal) =>
      (await this.#http.json<{ readonly items: readonly SignInView[] }>('GET', at('sign-ins'), { signal })).items,
    endOne: (id: string, signal?: AbortSignal) => this.#http.json<void>('DELETE', at('sign-ins', id), { signal }),
    endAll: (options: { readonly others?: boolean } = {}, signal?: AbortSignal) =>
      this.#http.json<{ readonly ended: number }>('DELETE', at('sign-ins'), { query: { others: options.others ?? false }, signal }),
    settings: (signal?: AbortSignal) => this.#http.json<SignInSettings>('GET', at('sign-in', 'settings'), { signal }),
    setSettings: (body: SignInSettingsChange, signal?: AbortSignal) =>
      this.#http.json<SignInSettings>('PATCH', at('sign-in', 'settings'), { body, signal }),
  }

  readonly oidc = {
    list: async (signal?: AbortSignal) =>
      (await this.#http.json<{ readonly items: readonly OidcProviderView[] }>('GET', at('oidc'), { signal })).items,
    get: (name: string, signal?: AbortSignal) => this.#http.json<OidcProviderView>('GET', at('oidc', name), { signal }),
    put: (name: string, body: OidcProviderPut, signal?: AbortSignal) =>
      this.#http.json<OidcProviderView>('PUT', at('oidc', name), { body, signal }),
    delete: (name: string, signal?: AbortSignal) => this.#http.json<void>('DELETE', at('oidc', name), { signal }),
  }

  readonly queries = {
    list: (options: PageOptions & QueryListFilter = {}) => this.#page<QueryView>(at('queries'), options),
    get: (id: string, signal?: AbortSignal) => this.#http.json<QueryView>('GET', at('queries', id), { signal }),
  }

  /** Connections that are open on the replica that answers. */
  readonly sessions = {
    list: async (signal?: AbortSignal): Promise<readonly SessionView[]> => (await this.sessions.all(signal)).items,
    /** With the replicas that did not answer. */
    all: (signal?: AbortSignal) => this.#http.json<SessionList>('GET', at('sessions'), { signal }),
    /** Ends it, whatever it does. */
    end: (session: string, signal?: AbortSignal) => this.#http.json<void>('DELETE', at('sessions', session), { signal }),
  }

  readonly runs = {
    /** Newest first. */
    list: (options: PageOptions & RunListFilter = {}) => this.#page<RunSummary>(at('runs'), options),
    get: (run: string, signal?: AbortSignal) => this.#http.json<RunView>('GET', at('runs', run), { signal }),
    cancel: (run: string, signal?: AbortSignal) => this.#http.json<RunView>('POST', at('runs', run, 'cancel'), { signal }),
    /** Goes on with what a failed or cancelled run left: parts that are in the target are not copied again. */
    rerun: (run: string, signal?: AbortSignal) => this.#http.json<RunView>('POST', at('runs', run, 'rerun'), { signal }),
    /** Copies again only the ranges that its verification has found to differ. */
    repair: (run: string, signal?: AbortSignal) => this.#http.json<RunView>('POST', at('runs', run, 'repair'), { signal }),
  }

  /** Starts a copy; follow it with `runs.get` or `events`. */
  copy(request: CopyRequest, signal?: AbortSignal): Promise<RunView> {
    return this.#http.json<RunView>('POST', at('copies'), { body: request, signal })
  }

  /** Runs a statement and streams its result; nothing is read ahead of the reader. */
  query(store: string, options: QueryOptions): Promise<QueryResult> {
    return runQuery(this.#http, store, options)
  }

  /** What happens, as it happens, until the signal aborts or the service ends the stream. Start again and look afresh then. */
  async *events(signal?: AbortSignal): AsyncGenerator<Event, void> {
    const response = await this.#http.send('GET', at('events'), { accept: 'text/event-stream', signal })
    if (response.body) yield* readEvents(response.body)
  }

  /** Settles when the service answers and is ready. */
  async ready(signal?: AbortSignal): Promise<void> {
    const response = await this.#http.send('GET', '/readyz', { signal })
    await response.body?.cancel()
  }

  #page<Item>(path: string, options: PageOptions): Promise<ListOf<Item>> {
    const { signal, ...query } = options
    return this.#http.json<ListOf<Item>>('GET', path, { query: { ...query }, signal })
  }

  async #all<Item>(path: string, signal: AbortSignal | undefined, query: Readonly<Record<string, string>> = {}): Promise<readonly Item[]> {
    const items: Item[] = []
    let cursor: string | undefined
    do {
      const page = await this.#page<Item>(path, { ...query, limit: 1_000, signal, ...(cursor === undefined ? {} : { cursor }) })
      items.push(...page.items)
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    return items
  }
}
