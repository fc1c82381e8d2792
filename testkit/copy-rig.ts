/** A source and a target for copies that shall still be going on when something is killed. */
import type { RunView } from '@postern/protocol/api/runs.ts'
import type { Cluster } from './cluster.ts'
import { FlakyLink } from './flaky-link.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'

export interface RigOptions {
  readonly rows?: number
  /** What each connection to the source may read; none = as fast as it can. */
  readonly bytesPerSecond?: number
  /** Whose the source is; the cluster's own gateway when left out. */
  readonly sourceGateway?: string
}

const ROWS = 60_000

/** Names of stores are unique in a cluster. */
let rigs = 0

export class CopyRig implements AsyncDisposable {
  readonly source: TestDatabase
  readonly target: TestDatabase
  /** Between the nodes and the source. */
  readonly link: FlakyLink
  readonly names: { readonly source: string; readonly target: string }
  readonly rows: number

  private constructor(parts: { source: TestDatabase; target: TestDatabase; link: FlakyLink; rows: number; number: number }) {
    this.source = parts.source
    this.target = parts.target
    this.link = parts.link
    this.rows = parts.rows
    this.names = { source: `source${parts.number}`, target: `target${parts.number}` }
  }

  /** Table `orders` in the source, with every common type in it and NULLs; the target is empty. */
  static async make(cluster: Cluster, options: RigOptions = {}): Promise<CopyRig> {
    const rows = options.rows ?? ROWS
    const [source, target] = await Promise.all([testDatabase(), testDatabase()])
    const link = await FlakyLink.to(source)
    rigs += 1
    const rig = new CopyRig({ source, target, link, rows, number: rigs })
    await source.query(`
      create table orders (id bigint primary key, customer text, amount numeric(12,2), placed timestamptz, paid boolean, note jsonb);
      insert into orders
        select n, case when n % 7 = 0 then null else 'customer ' || n || E'\\t"é' end, n * 1.25, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 minute',
               n % 3 = 0, jsonb_build_object('n', n, 'filler', repeat('x', 60))
          from generate_series(1, ${rows}) n;
      analyze orders`)
    await cluster.postgresStore(rig.names.source, source, link, options.sourceGateway)
    await cluster.postgresStore(rig.names.target, target)
    if (options.bytesPerSecond !== undefined) link.slow(options.bytesPerSecond)
    return rig
  }

  /** Rows and an order-free sum over them: the same at both ends, or the copy is wrong. */
  static async fingerprint(database: TestDatabase, table = 'orders'): Promise<unknown> {
    const [row] = await database.query(`select count(*)::int as rows, sum(hashtextextended(t::text, 0))::text as sum from ${table} t`)
    return row
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link[Symbol.asyncDispose]()
    await Promise.all([this.source[Symbol.asyncDispose](), this.target[Symbol.asyncDispose]()])
  }
}

/** For the message of a test: how a run ended, and each attempt that did not succeed. */
export function story(run: RunView): string {
  const attempts = run.tasks.flatMap((task) =>
    task.attempts
      .filter((attempt) => attempt.status !== 'succeeded')
      .map(
        (attempt) =>
          `  ${task.kind} ${task.name}, attempt ${attempt.number} on ${attempt.node}: ${attempt.status}, ${attempt.fault?.code} ${attempt.fault?.message}`,
      ),
  )
  return [`${run.id} ${run.status}: ${run.fault?.code} ${run.fault?.message}`, ...attempts].join('\n')
}
