/**
 * Copies between every two kinds of store, read again at the other end by the store's own means. What each run said of itself is the table in
 * docs/reference/pairs.md, which fails this test when it is stale; the rates in it come from the run that wrote it:
 *
 *     POSTERN_WRITE_PAIRS=1 npx vitest run --project e2e testkit/pairs
 */
import { readFile, writeFile } from 'node:fs/promises'
import type { RunView } from '@postern/protocol/api/runs.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from '../cluster.ts'
import { story } from '../copy-rig.ts'
import { mysqlMissing } from '../mysql-server.ts'
import { type End, FILES, PairEnds } from './pair-ends.ts'
import { type Pair, pairsPage, withoutRates } from './pairs-page.ts'

const PAGE = new URL('../../docs/reference/pairs.md', import.meta.url)
const WRITE = process.env['POSTERN_WRITE_PAIRS'] !== undefined
/** Enough to be cut in parts; more for a rate that means something. */
const ROWS = WRITE ? 300_000 : 3_000
const PARTS = 4

let cluster: Cluster
let ends: PairEnds
const pairs: Pair[] = []

beforeAll(async () => {
  cluster = await Cluster.start({ nodes: ['n1', 'n2'] })
  ends = await PairEnds.make(cluster, ROWS)
}, 120_000)

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await ends?.[Symbol.asyncDispose]()
})

test('every pair of stores copies every row once, in parts where it can', async () => {
  for (const [i, from] of ends.ends.entries()) {
    const expected = await expectedOf(from)
    for (const [j, into] of ends.ends.entries()) {
      const to = into.to(`pair_${i}_${j}`)
      const request = { source: from.store, sink: into.store, from: from.from, to, parts: PARTS, verify: 'checksum' } as const
      const run = await cluster.ended((await cluster.client.copy(request)).id)

      const about = `${from.name} → ${into.name}: ${story(run)}`
      // Whole files are not looked into: they are what is counted.
      const rowsWritten = run.lane === 'file' ? FILES : ROWS
      expect(run, about).toMatchObject({ status: 'succeeded', rowsWritten, verification: { status: 'passed' } })
      expect(await into.read(to), about).toEqual(expected)
      pairs.push(pairOf(from, into, run))
    }
  }
}, 600_000)

test('the page of pairs says so', async ({ skip }) => {
  skip(mysqlMissing() !== undefined, mysqlMissing())
  const page = pairsPage(pairs, ROWS)
  if (WRITE) await writeFile(PAGE, page)

  expect(withoutRates(await readFile(PAGE, 'utf8'))).toBe(withoutRates(page))
})

/** The rows of the source, as any end reads them. */
async function expectedOf(from: End): Promise<readonly string[]> {
  const [postgres] = ends.ends
  const rows = (await postgres?.read('src')) ?? []
  // The sources were filled alike; that they were is seen by whoever can read its own source.
  if (from.name === 'mysql') expect(await from.read('src')).toEqual(rows)
  return rows
}

function pairOf(from: End, into: End, run: RunView): Pair {
  const parts = run.tasks.filter(({ kind }) => kind === 'part').length
  return {
    from: from.name,
    into: into.name,
    lane: run.lane ?? '',
    guarantee: run.guarantee ?? '',
    parts,
    oneMoment: run.notes.some((note) => note.includes('under one snapshot')),
    rowsPerSecond: Math.round(ROWS / (run.durationMs / 1_000)),
  }
}
