/** A service with two nodes that do as a test says, a browser before it, and a person who may do all: for the pages of copies and runs. */
import { resolve } from 'node:path'
import type { ListOf } from '@postern/protocol/api/lists.ts'
import type { RunSummary, RunView, VerificationReport } from '@postern/protocol/api/runs.ts'
import type { CatalogEntry } from '@postern/protocol/api/stores.ts'
import type { RunId, TaskId } from '@postern/protocol/ids.ts'
import { NODE_PATHS } from '@postern/protocol/link.ts'
import type { TaskOrder } from '@postern/protocol/task-api.ts'
import { type FakeNode, moved, type Report } from '@postern/service/testing/fake-node.ts'
import { LocalService } from '@postern/service/testing/local-service.ts'
import type { Page } from 'playwright-core'
import { Browser, type Portal, type Visitor } from './browser.ts'
import { waitFor } from './wait-for.ts'

const PAGES = resolve(import.meta.dirname, '..', 'portal', 'dist')
const PERSON = { name: 'ada', password: 'a gate in the north wall', role: 'administrator' }

export class PortalRunsRig implements AsyncDisposable {
  readonly service: LocalService
  /** Hands out the tasks. */
  readonly node: FakeNode
  readonly second: FakeNode
  readonly #browser: Browser
  readonly #portal: Portal

  private constructor(service: LocalService, nodes: readonly [FakeNode, FakeNode], browser: Browser) {
    this.service = service
    this.node = nodes[0]
    this.second = nodes[1]
    this.#browser = browser
    this.#portal = browser.portal(service.url, PERSON)
  }

  static async start(): Promise<PortalRunsRig> {
    await using parts = new AsyncDisposableStack()
    const service = parts.use(await LocalService.start({ pages: PAGES }))
    await service.api('POST', '/v1/people', PERSON)
    const [node, second] = await service.gateway(2)
    if (!node || !second) throw new Error('There are no nodes.')
    for (const one of [node, second]) one.handlers[NODE_PATHS.browseStore] = browse
    await waitFor('a node hands out the tasks', async () => (await node.beat()).dispatcher.mine)
    const browser = parts.use(await Browser.start())
    parts.move()
    return new PortalRunsRig(service, [node, second], browser)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser[Symbol.asyncDispose]()
    await this.service[Symbol.asyncDispose]()
  }

  /** Signed in, at this page. */
  visit(path: string): Promise<Visitor> {
    return this.#portal.visit(path)
  }

  copy(more: Readonly<Record<string, unknown>> = {}): Promise<RunView> {
    const copy = { source: 'shop', sink: 'lake', from: 'public.orders', to: 'orders/' }
    return this.service.api('POST', '/v1/copies', { ...copy, ...more })
  }

  /** A copy that is planned into parts of so many rows; as many as may move at once are handed out. */
  async planned(rows: readonly number[], more: Readonly<Record<string, unknown>> = {}): Promise<PlannedRun> {
    const run = await this.copy(more)
    const plan = await this.orderOf(run, 'plan')
    await this.node.started(plan)
    await this.node.finished(plan, planOf(rows))
    const parts: TaskOrder[] = []
    const atOnce = Math.min(rows.length, run.copy.parallel ?? rows.length)
    await waitFor(`the parts of ${run.id}`, async () => parts.push(...(await this.ordersOf(run))) === atOnce)
    return { id: run.id, parts }
  }

  /** All its parts move, on both nodes in turn, and are compared; ids of their tasks go into the report. */
  async verified(rows: readonly number[], report: (tasks: readonly TaskId[]) => VerificationReport, more = {}): Promise<string> {
    const { id, parts } = await this.planned(rows, more)
    for (const [index, part] of parts.entries()) {
      const node = index % 2 === 1 ? this.second : this.node
      await node.started(part)
      await node.finished(part, withTimes(moved(rows[index] ?? 0)))
    }
    const finish = await this.orderOf({ id }, 'finish')
    await this.node.started(finish)
    const verification = report(parts.map(({ task }) => task))
    await this.node.finished(finish, { outcome: 'finished', finish: { verification, notes: ['Published as orders/.'] } })
    return id
  }

  view(run: string): Promise<RunView> {
    return this.service.api('GET', `/v1/runs/${run}`)
  }

  async runs(): Promise<readonly RunSummary[]> {
    return (await this.service.api<ListOf<RunSummary>>('GET', '/v1/runs')).items
  }

  async cancel(run: string): Promise<void> {
    await this.service.api('POST', `/v1/runs/${run}/cancel`)
  }

  /** The next task of this kind of this run. */
  async orderOf(run: Pick<RunView, 'id'>, kind: TaskOrder['kind']): Promise<TaskOrder> {
    const order = await waitFor(
      `the ${kind} of ${run.id}`,
      async () => (await this.ordersOf(run)).find((one) => one.kind === kind),
      (one) => one !== undefined,
    )
    if (!order) throw new Error('There is none.')
    return order
  }

  /** What is left of runs that were cancelled is taken away meanwhile. */
  async ordersOf(run: Pick<RunView, 'id'>): Promise<readonly TaskOrder[]> {
    const orders = await this.node.pull()
    for (const other of orders.filter((order) => order.run !== run.id && order.kind === 'cleanup')) {
      await this.node.started(other)
      await this.node.finished(other, { outcome: 'cleaned' })
    }
    return orders.filter((order) => order.run === run.id)
  }
}

export interface PlannedRun {
  readonly id: RunId
  /** Those that were handed out, in the order of the plan. */
  readonly parts: readonly TaskOrder[]
}

export const PART_KEYS = 500_000
/** What the plan calls the part of this place. */
export const partName = (index: number) => `orders id ${index * PART_KEYS + 1} to ${(index + 1) * PART_KEYS}`

const planOf = (rows: readonly number[]): Report => ({
  outcome: 'planned',
  plan: {
    ...{ lane: 'columnar', guarantee: 'exactly-once', context: {}, holdsSnapshot: false },
    notes: [
      'columnar: DuckDB writes the files.',
      `Cut by the key id into ${rows.length} ranges of equal width.`,
      'All parts read one snapshot.',
    ],
    parts: rows.map((estimatedRows, index) => ({ name: partName(index), estimatedRows, spec: {} })),
  },
})

export const TIMES = { firstByteMs: 400, readMs: 2_000, writeMs: 900, commitMs: 300 }
export const withTimes = (report: ReturnType<typeof moved>): Report => ({ ...report, counters: { ...report.counters, times: TIMES } })

/** What the second part lacks is in the report of each part. */
export function reportOf(
  rows: readonly number[],
  lost: number,
  method: 'counts' | 'checksum',
  tasks: readonly TaskId[],
): VerificationReport {
  const all = rows.reduce((sum, each) => sum + each, 0)
  const checksum = (digits: number) => (method === 'counts' ? null : String(3_061_248_536_766_000 + digits))
  return {
    ...{ method, status: lost > 0 ? 'failed' : 'passed', sourceRows: all, targetRows: all - lost },
    ...{ sourceChecksum: checksum(7), targetChecksum: checksum(7 + lost) },
    notes: lost > 0 ? [`${partName(1)}: ${lost} rows of the source are not in the target.`] : [],
    parts: tasks.map((task, index) => {
      const [expected = 0, missing] = [rows[index], index === 1 ? lost : 0]
      return {
        ...{ task, name: partName(index), status: missing > 0 ? 'differs' : 'same' },
        ...{ sourceRows: expected, targetRows: expected - missing, skippedRows: 0 },
        ...{ sourceChecksum: checksum(index), targetChecksum: checksum(index + missing * 77) },
      }
    }),
  }
}

export async function choose(page: Page, label: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: label }).click()
  await page.getByRole('option', { name: option, exact: true }).click()
}

const TABLES: readonly CatalogEntry[] = ['orders', 'lines'].map((name) => ({
  ...{ name, path: `public.${name}`, type: 'table', rows: 12_345, bytes: 9_876_543 },
  columns: ['id', 'changed_at', 'total'].map((column) => ({ name: column, type: 'bigint', nullable: false })),
}))

/** As a database with one schema. */
const browse: FakeNode['handlers'][string] = (stream, body) => {
  const { path } = body as { readonly path: string }
  const schema: CatalogEntry = { name: 'public', path: 'public', type: 'schema' }
  const entries = path === '' ? [schema] : TABLES.filter((table) => path === 'public' || table.path === path)
  stream.respond({ ':status': 200, 'content-type': 'application/json' })
  stream.end(JSON.stringify({ path, entries, truncated: false }))
}
