/** For tests: a session over a database of its own. */
import { Secret, silentLog } from '@postern/base/log.ts'
import type { Session } from '@postern/connectors/contract.ts'
import type { Target } from '@postern/connectors/copy-contract.ts'
import { postgres } from '@postern/connectors/postgres/index.ts'
import type { Statement } from '@postern/connectors/query-contract.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'

export interface TestSession extends AsyncDisposable {
  readonly db: TestDatabase
  readonly session: Session
  readonly source: NonNullable<Session['source']>
  readonly sink: NonNullable<Session['sink']>
  ask(sql: string, more?: Partial<Statement>): Promise<string>
}

export const limit = () => AbortSignal.timeout(30_000)

export async function testSession(settings: Record<string, string | number> = {}): Promise<TestSession> {
  const db = await testDatabase()
  const session = await sessionOf(db, settings)
  if (!session.source || !session.sink) throw new Error('postgres is source and sink')
  return {
    db,
    session,
    source: session.source,
    sink: session.sink,
    ask: (sql, more = {}) => ask(session, sql, more),
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]()
      await db[Symbol.asyncDispose]()
    },
  }
}

export function sessionOf(db: TestDatabase, settings: Record<string, string | number> = {}): Promise<Session> {
  return postgres.open({
    settings: { host: db.host, port: db.port, database: db.name, user: db.user, ...settings },
    secrets: { password: new Secret(db.password) },
    log: silentLog,
    scratch: '/tmp',
  })
}

export async function ask(session: Session, sql: string, more: Partial<Statement> = {}): Promise<string> {
  const answer = await session.query?.({ sql, params: [], mode: 'read', format: 'ndjson', ...more }, limit())
  if (!answer) throw new Error('postgres answers queries')
  const chunks: Buffer[] = []
  for await (const chunk of answer.bytes) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

export interface Copied {
  readonly target: Target
  readonly run: string
  publish(): Promise<void>
}

let runs = 0

/** Copies `what` to `where` within the database, up to publishing. */
export async function copied(
  { source, sink }: TestSession,
  options: {
    what: string
    where: string
    mode?: 'append' | 'overwrite' | 'upsert'
    key?: readonly string[]
    encoding?: 'pg-binary' | 'pg-text' | 'csv'
  },
): Promise<Copied> {
  runs += 1
  const run = `run_${process.pid}_${runs}`
  const { what, where, mode = 'append', key = [], encoding = 'pg-text' } = options
  const shape = await source.describe(what, {}, limit())
  const target = await sink.prepare({ run, shape, where, mode, key, encodings: [encoding], verify: 'checksum' }, limit())
  const [part] = await source.split(shape, { wanted: 1, snapshot: null }, limit())
  if (!part) throw new Error('no part')
  const stream = await source.read({ shape, part, encoding, snapshot: null }, limit())
  const commit = await sink.write(
    { target, slot: { run, task: 'tsk_1', attempt: 1 }, part: 0, bytes: stream.bytes, agree: () => undefined },
    limit(),
  )
  return { target, run, publish: () => sink.publish({ target, run, parts: [{ part: 0, task: 'tsk_1', commit }] }, limit()) }
}
