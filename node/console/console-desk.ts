import { hostname, release, totalmem, type } from 'node:os'
import type { Clock } from '@postern/base/clock.ts'
import { type Log, Secret } from '@postern/base/log.ts'
import type { LogRing } from '@postern/base/log-ring.ts'
import { openAuthKey } from '@postern/protocol/auth-key.ts'
import {
  type Asked,
  type ConsoleStores,
  type LogLines,
  type NodeFacts,
  type PeerTest,
  StoreTestAsked,
  type StoreTested,
  SwitchRequest,
} from '@postern/protocol/console-api.ts'
import { CONSOLE_PATHS } from '@postern/protocol/console-paths.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { StoreId } from '@postern/protocol/ids.ts'
import { parseBody } from '../app/parse.ts'
import { parseServiceUrl } from '../calls/service-url.ts'
import type { Peers } from '../channel/peers.ts'
import type { StaleCredentials } from '../stores/stale-credentials.ts'
import type { StoreBook } from '../stores/store-book.ts'
import { testStore } from '../stores/store-routes.ts'
import type { StoreSessions } from '../stores/store-sessions.ts'
import { bundleOf, without } from './log-bundle.ts'

/** What somebody at the console wants of the process: done by who started the node. */
export type ConsoleWish =
  | { readonly act: 'stop' }
  | { readonly act: 'restart' }
  | { readonly act: 'switch'; readonly url: string; readonly key: Secret; readonly name: string | undefined }

export interface ConsoleDeskParts {
  readonly status: () => Promise<NodeFacts>
  readonly peers: Pick<Peers, 'test'>
  readonly book: Pick<StoreBook, 'list' | 'kept'>
  readonly stale: Pick<StaleCredentials, 'lacks'>
  readonly stores: StoreSessions
  readonly lines: LogRing | undefined
  /** What may stand in no line that leaves the machine. */
  readonly secrets: () => readonly string[]
  readonly wish: (wish: ConsoleWish) => void
  readonly clock: Clock
  readonly log: Log
}

export interface ConsoleQuestion {
  readonly query: URLSearchParams
  /** JSON, not yet held against a schema. */
  readonly body: unknown
  readonly signal: AbortSignal
}

/** A file to be saved instead of an answer in JSON. */
export class ConsoleDownload {
  readonly name: string
  readonly bytes: Buffer

  constructor(name: string, bytes: Buffer) {
    this.name = name
    this.bytes = bytes
  }
}

type Handler = (question: ConsoleQuestion) => Promise<unknown>

const MOST_STORES = 500
const MOST_LINES = 2_000

/** All that a pass is needed for. */
export class ConsoleDesk {
  readonly #parts: ConsoleDeskParts
  readonly handlers: Readonly<Record<string, Handler>>

  constructor(parts: ConsoleDeskParts) {
    this.#parts = parts
    this.handlers = {
      [`POST ${CONSOLE_PATHS.peersTest}`]: ({ signal }) => this.#testPeers(signal),
      [`GET ${CONSOLE_PATHS.stores}`]: () => this.#stores(),
      [`POST ${CONSOLE_PATHS.storesTest}`]: ({ body }) => this.#testStore(parseBody(StoreTestAsked, body).id),
      [`GET ${CONSOLE_PATHS.logs}`]: async ({ query }) => this.#logs(Number(query.get('after') ?? 0), query.get('ring') ?? undefined),
      [`GET ${CONSOLE_PATHS.bundle}`]: () => this.#bundle(),
      [`POST ${CONSOLE_PATHS.stop}`]: async () => this.#ask({ act: 'stop' }),
      [`POST ${CONSOLE_PATHS.restart}`]: async () => this.#ask({ act: 'restart' }),
      [`POST ${CONSOLE_PATHS.switchGateway}`]: ({ body }) => this.#switch(parseBody(SwitchRequest, body)),
    }
  }

  async #testPeers(signal: AbortSignal): Promise<{ readonly peers: readonly PeerTest[] }> {
    return { peers: await this.#parts.peers.test(signal) }
  }

  async #stores(): Promise<ConsoleStores> {
    const { book, stale } = this.#parts
    const lacks = new Map(stale.lacks.map(({ id, reason }) => [id, reason]))
    const { stores, more } = await book.list(MOST_STORES)
    const listed = stores.map(({ id, name, kind, version }) => ({ id, name, kind, version, fault: lacks.get(id) ?? null }))
    return { stores: listed.toSorted((one, other) => one.name.localeCompare(other.name)), more }
  }

  async #testStore(id: StoreId): Promise<StoreTested> {
    const { book, stores, clock } = this.#parts
    const store = await book.kept(id)
    if (!store) throw new Fault('STORE_UNKNOWN', { at: `(${id})` })
    return testStore({ stores, clock }, { id, name: store.name, version: store.version })
  }

  #logs(after: number, ring: string | undefined): LogLines {
    const { lines, secrets } = this.#parts
    const from = Number.isSafeInteger(after) && after > 0 ? after : 0
    const page = lines?.after(from, MOST_LINES, ring) ?? { ring: '', lines: [], last: 0, lost: false }
    const hidden = secrets()
    return { ...page, lines: page.lines.map(({ seq, text }) => ({ seq, text: without(hidden, text) })) }
  }

  async #bundle(): Promise<ConsoleDownload> {
    const { status, clock, secrets, lines } = this.#parts
    const [facts, stores] = await Promise.all([status(), this.#stores()])
    const machine = { host: hostname(), system: `${type()} ${release()}`, memoryBytes: totalmem(), node: process.version }
    const log = lines?.after(0, Infinity).lines.map(({ text }) => `${text}\n`) ?? []
    const made = new Date(clock.now()).toISOString()
    const folder = `postern-${facts.name}`
    const files = [
      { name: `${folder}/status.json`, text: json({ made, ...facts }) },
      { name: `${folder}/machine.json`, text: json(machine) },
      { name: `${folder}/stores.json`, text: json(stores) },
      { name: `${folder}/log.ndjson`, text: log.join('') },
    ]
    const hidden = secrets()
    const clean = files.map(({ name, text }) => ({ name, text: without(hidden, text) }))
    return new ConsoleDownload(`postern-${facts.name}-${made.replace(/[:.]/g, '')}.tar.gz`, bundleOf(clean, clock.now()))
  }

  /** What can be known to be wrong is said before the node stops for it. */
  async #switch({ url, key, name }: SwitchRequest): Promise<Asked> {
    if (!(await openAuthKey(key))) throw new Fault('KEY_INVALID')
    return this.#ask({ act: 'switch', url: parseServiceUrl(url).href, key: new Secret(key), name })
  }

  #ask(wish: ConsoleWish): Asked {
    this.#parts.log.info({ act: wish.act }, 'asked for at the console')
    this.#parts.wish(wish)
    return { asked: wish.act }
  }
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
