/**
 * What every connector must do, switched on by what it claims in `can`. A connector's own test makes a rig and calls this:
 *
 *     connectorContract('postgres', () => postgresRig())
 */
import { PassThrough, type Readable } from 'node:stream'
import { Secret, silentLog } from '@postern/base/log.ts'
import type { Connector, Session } from '@postern/connectors/contract.ts'
import { settingsMarked } from '@postern/connectors/contract.ts'
import type { Encoding, Part, Shape, Target } from '@postern/connectors/copy-contract.ts'
import type { Statement } from '@postern/connectors/query-contract.ts'
import type { StoreSettings } from '@postern/protocol/api/stores.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitFor } from './wait-for.ts'

export interface StoreAccess {
  readonly settings: StoreSettings
  readonly secrets?: Readonly<Record<string, string>>
}

/** A real store with room for tests, and eyes of its own to look into it. */
export interface ConnectorRig extends AsyncDisposable {
  readonly connector: Connector
  readonly access: StoreAccess
  readonly scratch: string
  /** Access that must fail, and with which fault. */
  readonly failing: readonly { readonly why: string; readonly access: StoreAccess; readonly code: string }[]
  readonly queries?: QueryRig
  readonly source?: SourceRig
  readonly sink?: SinkRig
}

export interface QueryRig {
  /** Answers one row, n = 1. */
  readonly one: string
  /** Answers so many rows of about 1 KB: enough to fill every buffer on the way. */
  many(rows: number): string
  /** Would run for a minute; `marker` is found by `running`. */
  slow(marker: string): string
  /** How many statements with this text the store is executing now. */
  running(marker: string): Promise<number>
  /** Changes data. */
  readonly change: string
  readonly broken: string
}

export interface SourceRig {
  /** Makes something with columns id (whole, 1…rows, unique) and name (text); returns WHAT. */
  fill(name: string, rows: number): Promise<string>
  /** WHAT whose columns have all types of the store, with nasty values. */
  types?(): Promise<string>
  /** Adds one row to what `fill` made. */
  addRow?(what: string): Promise<void>
  /** WHAT that is not there. */
  readonly missing: string
}

export interface SinkRig {
  /** WHERE for a new target of this name. */
  where(name: string): string
  /** Rows that a reader of the target sees; 0 where there is none. */
  count(where: string): Promise<number>
  /** Names of all that is not a published target: staging tables, temporary files. Commit records do not count. */
  residue(): Promise<readonly string[]>
}

const limit = () => AbortSignal.timeout(30_000)

export function connectorContract(title: string, makeRig: () => Promise<ConnectorRig>, connector: Connector): void {
  describe(`${title} keeps the connector contract`, () => {
    let rig: ConnectorRig
    let session: Session
    const open = (access: StoreAccess) => openStore(rig, access)
    beforeAll(async () => {
      rig = await makeRig()
      session = await open(rig.access)
    })
    afterAll(async () => {
      await session?.[Symbol.asyncDispose]()
      await rig?.[Symbol.asyncDispose]()
    })
    const parts: SuiteParts = { rig: () => rig, session: () => session, open }
    declarationTests(connector)
    openingTests(parts)
    if (connector.can.query) queryTests(parts)
    if (connector.can.source) sourceTests(parts, connector)
    if (connector.can.source && connector.can.sink) sinkTests(parts, connector)
  })
}

interface SuiteParts {
  readonly rig: () => ConnectorRig
  readonly session: () => Session
  readonly open: (access: StoreAccess) => Promise<Session>
}

function openStore(rig: ConnectorRig, { settings, secrets = {} }: StoreAccess): Promise<Session> {
  const sealed = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, new Secret(value)]))
  return rig.connector.open({ settings, secrets: sealed, log: silentLog, scratch: rig.scratch })
}

function declarationTests(connector: Connector): void {
  test('is declared in full', () => {
    expect(connector.kind).toMatch(/^[a-z][a-z0-9-]*$/)
    expect(connector.title).not.toBe('')
    for (const [name, schema] of Object.entries(connector.config.shape)) {
      const meta = (schema as { meta(): Record<string, unknown> | undefined }).meta()
      expect(meta?.['title'], `setting ${name} has a title`).toEqual(expect.any(String))
    }
    const audience = settingsMarked(connector, 'audience')
    if (settingsMarked(connector, 'secret').length > 0) expect(audience.length).toBeGreaterThan(0)
  })
}

function openingTests({ rig, session, open }: SuiteParts): void {
  test('check says what answered', async () => {
    const { server } = await session().check(limit())

    expect(server).not.toBe('')
  })

  test('a session that is closed lets go of everything and can be closed twice', async () => {
    const another = await open(rig().access)
    await another.check(limit())
    await another[Symbol.asyncDispose]()
    await another[Symbol.asyncDispose]()
  })

  test('a store that cannot be used fails with a fault that says why, and never with the secret', async () => {
    for (const { why, access, code } of rig().failing) {
      const failing = await open(access)
      const fault = await faultOf(failing.check(limit()))
      await failing[Symbol.asyncDispose]()

      expect(fault.code, why).toBe(code)
      for (const secret of Object.values(access.secrets ?? {})) {
        expect(JSON.stringify(fault), why).not.toContain(secret)
        expect(`${fault.message} ${fault.stack}`, why).not.toContain(secret)
      }
    }
  })

  test('the catalogue can be browsed from its root down', async () => {
    const root = await session().browse('', limit())

    expect(root.path).toBe('')
    const [first] = root.entries
    if (first && first.type !== 'file') expect((await session().browse(first.path, limit())).path).toBe(first.path)
  })
}

function queryTests({ rig, session }: SuiteParts): void {
  const queries = () => required(rig().queries)
  const ask = (sql: string, more: Partial<Statement> = {}, signal = limit()) =>
    required(session().query?.({ sql, params: [], mode: 'read', format: 'ndjson', ...more }, signal))

  test.each(['json', 'ndjson', 'csv', 'arrow'] as const)('a query answers as %s', async (format) => {
    const answer = await ask(queries().one, { format })
    const bytes = await drained(answer.bytes)

    expect(answer.rows()).toBe(1)
    if (format === 'json') expect(JSON.parse(bytes.toString())).toEqual([{ n: 1 }])
    else if (format === 'ndjson') expect(bytes.toString()).toBe('{"n":1}\n')
    else if (format === 'csv') expect(bytes.toString()).toBe('n\n1\n')
    else expect(bytes.length).toBeGreaterThan(64)
  })

  test('a result ends after maxRows', async () => {
    const answer = await ask(queries().many(100), { maxRows: 7 })
    await drained(answer.bytes)

    expect(answer.rows()).toBe(7)
  })

  test('a read query cannot change data', async () => {
    expect((await faultOf(ask(queries().change))).code).toBe('QUERY_READ_ONLY')
  })

  test("a broken statement is refused with the store's own words", async () => {
    const fault = await faultOf(ask(queries().broken))

    expect(fault.code).toBe('QUERY_FAILED')
    expect(fault.message.length).toBeGreaterThan('The store refused the statement.'.length)
  })

  test('an aborted query ends in the store', async () => {
    const marker = `marker_${Math.random().toString(36).slice(2)}`
    const abort = new AbortController()
    const answer = faultOf(ask(queries().slow(marker), {}, abort.signal))
    await waitFor(
      'the statement runs',
      () => queries().running(marker),
      (running) => running === 1,
    )

    abort.abort()

    expect((await answer).code).toBe('CANCELLED')
    await waitFor(
      'the statement has ended',
      () => queries().running(marker),
      (running) => running === 0,
    )
  })

  test('a reader that leaves ends the query in the store', async () => {
    const marker = `marker_${Math.random().toString(36).slice(2)}`
    const answer = await ask(`${queries().many(5_000_000)} /* ${marker} */`)
    await waitFor(
      'the statement runs',
      () => queries().running(marker),
      (running) => running === 1,
    )

    answer.bytes.destroy()

    await waitFor(
      'the statement has ended',
      () => queries().running(marker),
      (running) => running === 0,
    )
  })

  test('a slow reader holds the store back: memory stays flat', async () => {
    const answer = await ask(queries().many(1_000_000))
    const before = process.memoryUsage().rss
    await new Promise((resolve) => answer.bytes.once('readable', resolve))
    let rows = -1
    await waitFor('no more rows come', async () => {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const now = answer.rows()
      const still = now === rows
      rows = now
      return still
    })

    expect(rows).toBeLessThan(100_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000)
    answer.bytes.destroy()
  })
}

function sourceTests({ rig, session }: SuiteParts, connector: Connector): void {
  const sourceRig = () => required(rig().source)
  const source = () => required(session().source)

  test('a source that is not there is told as missing', async () => {
    const fault = await faultOf(source().describe(sourceRig().missing, {}, limit()))

    expect(['TABLE_MISSING', 'FILE_MISSING']).toContain(fault.code)
  })

  test.each([1, 2, 5, null])('every row is read once when cut in %s', async (wanted) => {
    const what = await sourceRig().fill(`contract_split_${wanted ?? 'auto'}`, 2_500)
    const shape = await source().describe(what, {}, limit())
    const [encoding] = shape.encodings
    const parts = await source().split(shape, { wanted, snapshot: null }, limit())
    const whole = await source().digest({ shape, part: null, snapshot: null, columns: shape.columns, checksum: true }, limit())
    let rows = 0
    for (const part of parts) rows += await rowsRead(session(), shape, part, required(encoding))

    expect(parts.length).toBeGreaterThan(0)
    expect(parts.length).toBeLessThanOrEqual(wanted ?? 256)
    expect(new Set(parts.map((part) => part.name)).size).toBe(parts.length)
    expect(rows).toBe(2_500)
    expect(whole.rows).toBe(2_500)
    await expectSumOfParts(session(), shape, parts, whole)
  })

  test('the shape and the parts of a source are JSON', async () => {
    const what = await sourceRig().fill('contract_json', 10)
    const shape = await source().describe(what, {}, limit())
    const parts = await source().split(shape, { wanted: 2, snapshot: null }, limit())

    expect(JSON.parse(JSON.stringify({ shape, parts }))).toEqual({ shape, parts })
  })

  test('an aborted read ends with a fault', async () => {
    const what = await sourceRig().fill('contract_abort', 200_000)
    const shape = await source().describe(what, {}, limit())
    const [part] = await source().split(shape, { wanted: 1, snapshot: null }, limit())
    const abort = new AbortController()
    const stream = await source().read(
      { shape, part: required(part), encoding: required(shape.encodings[0]), snapshot: null },
      abort.signal,
    )
    const ended = faultOf(drained(stream.bytes))

    abort.abort()

    expect((await ended).code).toBe('CANCELLED')
  })

  test.runIf(connector.can.source?.snapshot)('readers of one snapshot see one moment', async () => {
    const what = await sourceRig().fill('contract_snapshot', 100)
    await using snapshot = await required(source().snapshot?.(limit()))
    await required(sourceRig().addRow?.(what))
    const shape = await source().describe(what, {}, limit())
    const parts = await source().split(shape, { wanted: 2, snapshot: snapshot.id }, limit())
    const digest = await source().digest({ shape, part: null, snapshot: snapshot.id, columns: shape.columns, checksum: false }, limit())
    const after = await source().digest({ shape, part: null, snapshot: null, columns: shape.columns, checksum: false }, limit())
    let rows = 0
    for (const part of parts) rows += await rowsRead(session(), shape, part, required(shape.encodings[0]), snapshot.id)

    expect([rows, digest.rows, after.rows]).toEqual([100, 100, 101])
  })

  test.runIf(connector.can.source?.snapshot)('a snapshot that is gone is told as lost', async () => {
    const what = await sourceRig().fill('contract_snapshot_gone', 10)
    const shape = await source().describe(what, {}, limit())
    const snapshot = await required(source().snapshot?.(limit()))
    const id = snapshot.id
    await snapshot[Symbol.asyncDispose]()
    const [part] = await source().split(shape, { wanted: 1, snapshot: null }, limit())
    const read = source().read({ shape, part: required(part), encoding: required(shape.encodings[0]), snapshot: id }, limit())

    expect((await faultOf(read)).code).toBe('SNAPSHOT_LOST')
  })
}

function sinkTests({ rig, session }: SuiteParts, connector: Connector): void {
  const sinkRig = () => required(rig().sink)
  const sourceRig = () => required(rig().source)
  const modes = connector.can.sink?.modes ?? []

  test.each(['values of every type', 'plain rows'])('%s come out as they went in, whichever encoding is offered first', async (kind) => {
    const plain = kind === 'plain rows'
    const what = await required((plain ? undefined : sourceRig().types?.()) ?? sourceRig().fill('contract_types', 500))
    const shape = await required(session().source).describe(what, {}, limit())
    for (const encoding of sharedEncodings(session(), shape, sinkRig().where('contract_types_x'))) {
      const where = sinkRig().where(`contract_${plain ? 'plain' : 'types'}_${encoding.replace('-', '_')}`)
      const copy = await Copy.prepare(session(), { what, where, encoding, mode: 'append', verify: 'checksum' })
      await copy.all()
      const asked = { shape, part: null, snapshot: null, columns: shape.columns, checksum: true }
      const from = await required(session().source).digest(asked, limit())
      const into = await copy.digest(true)
      await copy.publish()

      expect(into, encoding).toEqual(from)
    }
  })

  test.each(modes)('%s: a part that is written twice is there once', async (mode) => {
    const what = await sourceRig().fill(`contract_once_${mode}`, 300)
    const copy = await Copy.prepare(session(), { what, where: sinkRig().where(`contract_once_${mode}_to`), mode, key: ['id'] })
    const first = await copy.write(0, 1)
    const second = await faultOf(copy.write(0, 2))

    expect(first.rows).toBe(300)
    expect(second.code).toBe('COMMIT_LOST')
    expect(await copy.committed(0)).toMatchObject({ rows: 300, attempt: 1 })
    expect((await copy.digest(false)).rows).toBe(300)
    await copy.publish()
    await copy.publish()
    expect(await sinkRig().count(copy.where)).toBe(300)
    expect(await sinkRig().residue()).toEqual([])
  })

  test('of two attempts at the same time one commits', async () => {
    const what = await sourceRig().fill('contract_race', 300)
    const copy = await Copy.prepare(session(), { what, where: sinkRig().where('contract_race_to'), mode: 'append' })
    const outcomes = await Promise.allSettled([copy.write(0, 1), copy.write(0, 2)])
    await copy.publish()

    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
    const lost = outcomes.find((outcome) => outcome.status === 'rejected')
    expect(Fault.from(lost?.reason).code).toBe('COMMIT_LOST')
    expect(await sinkRig().count(copy.where)).toBe(300)
  })

  test('a source that breaks leaves no row and no commit record', async () => {
    const what = await sourceRig().fill('contract_broken', 300)
    const copy = await Copy.prepare(session(), { what, where: sinkRig().where('contract_broken_to'), mode: 'append' })
    const broken = new PassThrough()
    const written = faultOf(copy.writeBytes(0, 1, broken))
    broken.destroy(new Fault('STORE_LOST', { at: 'the test broke it' }))

    expect((await written).code).toBe('STORE_LOST')
    expect(await copy.committed(0)).toBeUndefined()
    expect((await copy.write(0, 2)).rows).toBe(300)
    await copy.publish()
    expect(await sinkRig().count(copy.where)).toBe(300)
  })

  test('a part without rows is committed too', async () => {
    const what = await sourceRig().fill('contract_empty', 0)
    const copy = await Copy.prepare(session(), { what, where: sinkRig().where('contract_empty_to'), mode: 'append' })
    await copy.all()

    expect(await copy.committed(0)).toMatchObject({ rows: 0 })
    await copy.publish()
    expect(await sinkRig().count(copy.where)).toBe(0)
  })

  test.runIf(modes.includes('overwrite'))('an overwrite shows the old rows until it is published', async () => {
    const where = sinkRig().where('contract_over_to')
    const old = await Copy.prepare(session(), { what: await sourceRig().fill('contract_over_a', 50), where, mode: 'append' })
    await old.all()
    await old.publish()
    const fresh = await Copy.prepare(session(), { what: await sourceRig().fill('contract_over_b', 80), where, mode: 'overwrite' })
    await fresh.all()

    expect(await sinkRig().count(where)).toBe(50)
    await fresh.publish()
    expect(await sinkRig().count(where)).toBe(80)
    expect(await sinkRig().residue()).toEqual([])
  })

  test.runIf(modes.includes('overwrite'))('discard leaves nothing of a run', async () => {
    const where = sinkRig().where('contract_discard_to')
    const copy = await Copy.prepare(session(), { what: await sourceRig().fill('contract_discard', 50), where, mode: 'overwrite' })
    await copy.all()
    await copy.discard()
    await copy.discard()

    expect(await sinkRig().count(where)).toBe(0)
    expect(await sinkRig().residue()).toEqual([])
  })

  test.runIf(modes.includes('upsert'))('an upsert changes the rows that are there and adds the others', async () => {
    const where = sinkRig().where('contract_upsert_to')
    for (const rows of [50, 80, 80]) {
      const what = await sourceRig().fill(`contract_upsert_${rows}`, rows)
      const copy = await Copy.prepare(session(), { what, where, mode: 'upsert', key: ['id'] })
      await copy.all()
      await copy.publish()

      expect(await sinkRig().count(where)).toBe(rows)
    }
  })
}

interface CopyOptions {
  readonly what: string
  readonly where: string
  readonly mode: 'append' | 'overwrite' | 'upsert'
  readonly key?: readonly string[]
  readonly encoding?: Encoding
  readonly verify?: 'none' | 'counts' | 'checksum'
}

let runs = 0

/** A small copy within one store, step by step, as the engine does it. */
class Copy {
  readonly run: string
  readonly where: string
  readonly #session: Session
  readonly #shape: Shape
  readonly #target: Target
  readonly #parts: readonly Part[]
  readonly #done: { part: number; task: string; commit: Awaited<ReturnType<Copy['write']>> }[] = []

  private constructor(session: Session, made: { run: string; where: string; shape: Shape; target: Target; parts: readonly Part[] }) {
    this.#session = session
    this.run = made.run
    this.where = made.where
    this.#shape = made.shape
    this.#target = made.target
    this.#parts = made.parts
  }

  static async prepare(session: Session, options: CopyOptions): Promise<Copy> {
    const { what, where, mode, key = [], verify = 'counts' } = options
    runs += 1
    const run = `run_${String(process.pid).padStart(10, '0')}${String(runs).padStart(10, '0')}`
    const source = required(session.source)
    const shape = await source.describe(what, {}, limit())
    const shared = sharedEncodings(session, shape, where)
    const first = options.encoding ?? required(shared[0])
    const encodings = [first, ...shared.filter((encoding) => encoding !== first)] as const
    const target = await required(session.sink).prepare({ run, shape, where, mode, key, encodings, verify }, limit())
    const again = await required(session.sink).prepare({ run, shape, where, mode, key, encodings, verify }, limit())
    expect(again).toEqual(target)
    expect(JSON.parse(JSON.stringify(target))).toEqual(target)
    const parts = await source.split(shape, { wanted: 1, snapshot: null }, limit())
    return new Copy(session, { run, where, shape, target, parts })
  }

  async all(): Promise<void> {
    for (const index of this.#parts.keys()) await this.write(index, 1)
  }

  async write(part: number, attempt: number) {
    const request = { shape: this.#shape, part: required(this.#parts[part]), encoding: this.#target.encoding, snapshot: null }
    const stream = await required(this.#session.source).read(request, limit())
    try {
      return await this.writeBytes(part, attempt, stream.bytes)
    } finally {
      stream.bytes.destroy()
    }
  }

  async writeBytes(part: number, attempt: number, bytes: Readable) {
    const task = this.#task(part)
    const request = { target: this.#target, slot: { run: this.run, task, attempt }, part, bytes, agree: () => undefined }
    const commit = await required(this.#session.sink).write(request, limit())
    this.#done.push({ part, task, commit })
    return commit
  }

  committed(part: number) {
    return required(this.#session.sink).committed(this.#target, { run: this.run, task: this.#task(part), attempt: 9 }, limit())
  }

  digest(checksum: boolean) {
    return required(this.#session.sink).digest({ target: this.#target, run: this.run, columns: this.#target.columns, checksum }, limit())
  }

  async publish(): Promise<void> {
    await required(this.#session.sink).publish({ target: this.#target, run: this.run, parts: this.#done }, limit())
    const published = this.#session.sink?.published
    if (published) expect(await published.call(this.#session.sink, this.#target, this.run, limit())).toBe(true)
  }

  discard(): Promise<void> {
    return required(this.#session.sink).discard(this.#target, this.run, limit())
  }

  #task(part: number): string {
    return `tsk_${this.run.slice(4, 20)}${String(part).padStart(4, '0')}`
  }
}

function sharedEncodings(session: Session, shape: Shape, where: string): readonly Encoding[] {
  const accepted = required(session.sink).accepts(shape, where)
  return accepted.filter((encoding) => shape.encodings.includes(encoding))
}

async function rowsRead(session: Session, shape: Shape, part: Part, encoding: Encoding, snapshot: string | null = null): Promise<number> {
  const stream = await required(session.source).read({ shape, part, encoding, snapshot }, limit())
  await drained(stream.bytes)
  return stream.rows()
}

async function expectSumOfParts(session: Session, shape: Shape, parts: readonly Part[], whole: { checksum: string | null }): Promise<void> {
  let sum = 0n
  for (const part of parts) {
    const digest = await required(session.source).digest({ shape, part, snapshot: null, columns: shape.columns, checksum: true }, limit())
    sum += BigInt(digest.checksum ?? 0)
  }
  expect(String(sum)).toBe(whole.checksum)
}

async function drained(bytes: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** The fault that something must end with. */
export async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work
  } catch (cause) {
    if (cause instanceof Fault) return cause
    throw new Error('what was thrown is not a Fault', { cause })
  }
  throw new Error('it should have failed')
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the rig or the session lacks what the connector claims')
  return value
}
