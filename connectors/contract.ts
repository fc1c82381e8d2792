/**
 * What a connector is; copy-contract.ts and query-contract.ts are parts of it. The engine and the node know stores only by these
 * pages; `testkit/connector-contract.ts` holds each connector to its claims. Nothing here does I/O.
 */
import type { HostGuard } from '@postern/base/host-guard.ts'
import type { Log, Secret } from '@postern/base/log.ts'
import type { Catalog, StoreSettings } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import type { z } from 'zod'
import type { Sink, Source } from './copy-contract.ts'
import type { Answer, Statement, WireConnection } from './query-contract.ts'

/** What the planner may ask of a connector. Absent means no. */
export interface Abilities {
  /** Answers SQL. */
  readonly query?: 'sql'
  /** Clients can speak its own protocol through the gateway, signed in by the node. */
  readonly wire?: 'postgres'
  readonly source?: {
    readonly snapshot: boolean
    /** What its types are, and how its files are to be read, hangs on the target: `describe` is told what is known of that. */
    readonly guesses?: boolean
  }
  readonly sink?: {
    readonly modes: readonly ('append' | 'overwrite' | 'upsert')[]
    readonly exactlyOnce: boolean
    /** `write` can leave out rows that the store does not take (`PartWrite.skip`). */
    readonly skips?: boolean
    /** `write` can replace what is there of a part (`PartWrite.replaces`). */
    readonly repairs?: boolean
    /** Also where the run has been published over what was there. */
    readonly repairsPublished?: boolean
    /** Rows can go to folders by their values (`Prepare.partitionBy`). */
    readonly folders?: boolean
  }
}

/**
 * A kind of store. Cheap to import: drivers are loaded by `open`. `config` is one schema: form, docs, validation, and by
 * `.meta({ secret: true })` the settings that are sealed, by `.meta({ audience: true })` those that say where secrets go.
 */
export interface Connector {
  readonly kind: string
  readonly title: string
  readonly config: z.ZodObject
  readonly can: Abilities
  /** The settings have passed `config`; secrets are put in as `Secret`. Opens nothing yet: the first use does. */
  open(options: OpenOptions): Promise<Session>
}

export interface OpenOptions {
  readonly settings: StoreSettings
  readonly secrets: Readonly<Record<string, Secret>>
  readonly log: Log
  /** A folder of this process for spools and pipes; emptied at start. */
  readonly scratch: string
  /** By which every connection to a store is opened; the default, which denies link-local addresses, when left out. */
  readonly hosts?: HostGuard | undefined
}

/** One store, open on one node: shared by its queries and copies, with a bounded pool inside. */
export interface Session extends AsyncDisposable {
  /** Fails with a Fault whose remedy a person can follow. Reads no data. Says what answered. */
  check(signal: AbortSignal): Promise<{ readonly server: string }>
  browse(path: string, signal: AbortSignal): Promise<Catalog>
  query?(statement: Statement, signal: AbortSignal): Promise<Answer>
  /** A new connection, signed in with the store's credential and the client's own parameters. It belongs to the caller. */
  wire?(parameters: Readonly<Record<string, string>>, signal: AbortSignal): Promise<WireConnection>
  readonly source?: Source
  readonly sink?: Sink
  /** Where the settings may mean another place on another machine: a folder, localhost. */
  readonly local?: LocalPlace | undefined
}

/** Tells whether two nodes see the same: one leaves a mark, the other looks for it. */
export interface LocalPlace {
  /** For a person: "/srv/lake", "localhost". */
  readonly title: string
  mark(signal: AbortSignal): Promise<AsyncDisposable & { readonly text: string }>
  sees(mark: string, signal: AbortSignal): Promise<boolean>
}

/** As the schema has them; the fault names the first that is wrong. */
export function parseSettings<Schema extends z.ZodType>(schema: Schema, settings: StoreSettings): z.output<Schema> {
  const parsed = schema.safeParse(settings)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new Fault('STORE_SETTINGS_INVALID', { at: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` })
}

/** Names of the settings of a connector that its schema marks. */
export function settingsMarked(connector: Pick<Connector, 'config'>, mark: 'secret' | 'audience' | 'copy'): readonly string[] {
  return Object.entries(connector.config.shape)
    .filter(([, schema]) => (schema as z.ZodType).meta()?.[mark] === true)
    .map(([name]) => name)
}

/**
 * The settings that say where a store's secrets go, with defaults and conversions done ("5432" and no port at all are 5432):
 * the same on the machine that seals and on the node that opens. For `SealContext.audience`.
 */
export function audienceOf(connector: Connector, settings: StoreSettings): StoreSettings {
  const audience: Record<string, string | number | boolean> = {}
  for (const name of settingsMarked(connector, 'audience')) {
    const parsed = (connector.config.shape[name] as z.ZodType<string | number | boolean | undefined>).safeParse(settings[name])
    if (parsed.success && parsed.data !== undefined) audience[name] = parsed.data
  }
  return audience
}
