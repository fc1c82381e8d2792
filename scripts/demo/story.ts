/** What the demo shows, in its order. Each part says what it claims; `claims` collects what did not come true. */
import type { RunView } from '@postern/protocol/api/runs.ts'
import type { Cluster } from './cluster.ts'
import { GATEWAY, NODES } from './cluster.ts'
import { follow, shares } from './progress.ts'
import { flightsIn, moviesIn, prove } from './proof.ts'
import { count, green, red, say, seconds, step } from './screen.ts'
import { type Tally, Workload } from './workload.ts'

const PARTS = 8
/** The node is killed when so much of the copy has been read: some parts are in, some are under way, some wait. */
const KILL_AT = 0.25

export class Story {
  readonly #cluster: Cluster
  readonly #broken: string[] = []

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Claims that did not hold; empty when all is well. */
  get broken(): readonly string[] {
    return this.#broken
  }

  async tell(): Promise<void> {
    const cluster = this.#cluster
    await step('A service, and a private database with public sample data', async () => {
      const began = performance.now()
      const [url, tables] = await Promise.all([cluster.startService(), cluster.startDatabase()])
      say(`The service answers at ${url}; it keeps its own state in a PostgreSQL that it brought along.`)
      say(`The private PostgreSQL has ${tables.map(({ name, rows }) => `${count(rows)} ${name}`).join(', ')} (vega-datasets).`)
      say(`Both ready after ${seconds(began)}.`)
    })
    await step(`Gateway ${GATEWAY} with two nodes, each a process that dials out`, async () => {
      await cluster.createGateway()
      const { nodes, fingerprint } = await cluster.online()
      for (const node of nodes)
        say(`${node.name}: ${node.status}, ${node.role}${node.isPrimary ? ', primary' : ''}, link ${node.linkTransport}`)
      say(`Credentials are sealed to the gateway's key ${fingerprint}.`)
    })
    await step('Two stores: the private database, and a folder as the cloud side', () => cluster.createStores())
    await step('Two tables are copied, by both nodes', () => this.#copies())
    await step('A live query through the gateway', () => this.#query())
    await step('A node is killed: during a copy, and while people query', () => this.#kill())
    await step('Proof: counts and checksums, computed by PostgreSQL and by DuckDB without Postern', () => this.#prove())
  }

  async #copies(): Promise<void> {
    const flights = await this.#start('flights', 'flights.parquet/', PARTS)
    const first = await follow(this.#cluster.client, flights)
    this.#ended(first)
    const nodes = shares(first)
    this.#claim(
      nodes.size === NODES.length,
      `both nodes worked: ${[...nodes].map(([node, parts]) => `${parts} parts by ${node}`).join(', ')}`,
    )
    const movies = await this.#start('movies', 'movies.csv', 1)
    this.#ended(await follow(this.#cluster.client, movies))
  }

  async #query(): Promise<void> {
    const sql =
      'select origin, count(*) as flights, round(avg(delay), 1) as minutes_late from flights group by origin order by 2 desc limit 5'
    say((await this.#cluster.postern(['query', 'shop', sql])).trimEnd())
  }

  async #kill(): Promise<void> {
    const { client } = this.#cluster
    const { nodes } = await client.gateways.get(GATEWAY)
    const victim = nodes.find(({ role }) => role === 'dispatcher') ?? nodes[0]
    if (!victim) throw new Error('the gateway has no node')
    const workload = new Workload(client)
    workload.start()
    let before: Tally | undefined
    let killedAt = 0
    try {
      await workload.after(20)
      const id = await this.#start('flights', 'flights-again.parquet/', PARTS)
      const run = await follow(client, id, async (now) => {
        if (before || !isUnderWay(now, victim.name)) return
        killedAt = performance.now()
        before = workload.tally
        await this.#cluster.killNode(victim.name)
      })
      this.#claim(
        before !== undefined,
        `${victim.name}, the dispatcher${victim.isPrimary ? ' and primary' : ''}, was killed (SIGKILL) in the middle of the copy`,
      )
      if (before) say(`From the kill to the end of the copy: ${seconds(killedAt)}.`)
      this.#ended(run)
      const lost = run.tasks
        .flatMap(({ attempts }) => attempts)
        .filter(({ node, status }) => node === victim.name && status !== 'succeeded')
      say(`${lost.length} attempts died with it and were made again by the other node.`)
      await workload.after(20)
    } finally {
      const tally = await workload.stop()
      this.#queriesWentOn(tally, before, victim.name)
    }
    await this.#cluster.startNode(victim.name)
    await this.#cluster.online()
    say(`${victim.name} was started again and is online.`)
  }

  #queriesWentOn(tally: Tally, before: Tally | undefined, victim: string): void {
    const after = tally.answered - (before?.answered ?? 0)
    const nodes = [...tally.byNode].map(([node, answers]) => `${answers} by ${node}`).join(', ')
    this.#claim(
      tally.failed === 0 && after > 0,
      `${count(tally.answered)} queries answered, ${after} of them after the kill, ${tally.failed} failed (${nodes}; slowest ${Math.round(tally.slowestMs)} ms)`,
    )
    for (const failure of tally.failures) say(red(`  ${failure}`))
    if (tally.retried > 0) say(`${tally.retried} of them were on ${victim} when it died, and were answered by the other node.`)
  }

  async #prove(): Promise<void> {
    const claims = [flightsIn('flights.parquet'), moviesIn('movies.csv'), flightsIn('flights-again.parquet')]
    for (const { title, holds, source, target } of await prove(claims, this.#cluster.connection, this.#cluster.lake)) {
      const what = holds
        ? `${count(Number(source.rows))} rows, checksum ${source.checksum} on both sides`
        : `${source.rows} rows with checksum ${source.checksum} became ${target.rows} with ${target.checksum}`
      this.#claim(holds, `${title}: ${what}`)
    }
  }

  async #start(from: string, to: string, parts: number): Promise<string> {
    const args = ['copy', 'shop', 'lake', '--from', from, '--to', to, '--parts', String(parts), '--no-follow', '--json']
    const shown = `copy shop lake --from ${from} --to ${to}${parts > 1 ? ` --parts ${parts}` : ''}`
    return (JSON.parse(await this.#cluster.postern(args, '', shown)) as { id: string }).id
  }

  #ended(run: RunView): void {
    const speed = run.durationMs > 0 ? `, ${count(run.rowsWritten / (run.durationMs / 1_000))} rows/s` : ''
    const what = `${run.name}: ${run.status}, ${count(run.rowsWritten)} rows in ${(run.durationMs / 1_000).toFixed(1)} s${speed}, ${run.guarantee ?? 'no guarantee'}, verification ${run.verification.status}`
    this.#claim(run.status === 'succeeded' && run.verification.status === 'passed', run.fault ? `${what}: ${run.fault.message}` : what)
  }

  #claim(holds: boolean, text: string): void {
    say(`${holds ? green('✓') : red('✗')} ${text}`)
    if (!holds) this.#broken.push(text)
  }
}

function isUnderWay(run: RunView, node: string): boolean {
  const parts = run.tasks.filter(({ kind }) => kind === 'part')
  const total = parts.reduce((sum, { estimatedRows }) => sum + (estimatedRows ?? 0), 0)
  const read = parts.reduce((sum, { rowsRead }) => sum + rowsRead, 0)
  return parts.some((part) => part.node === node && part.status === 'running') && read >= total * KILL_AT
}
