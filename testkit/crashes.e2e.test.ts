/** kill -9 of everything, one after the other, in the middle of a copy: it ends with exactly the rows of the source. */
import type { RunView } from '@postern/protocol/api/runs.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { CopyRig, story } from './copy-rig.ts'
import { sharedServer } from './postgres.ts'
import { waitFor } from './wait-for.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await Cluster.start({ service: { database: 'embedded' } })
})

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

interface Crash {
  readonly what: string
  /** In the middle of the copy. */
  strike(run: RunView): Promise<void>
  /** What an operator would start again. */
  repair?(): Promise<void>
  /** Certainly takes attempts down with it. */
  readonly losesAttempts?: boolean
}

const ENDED_MS = 120_000

const CRASHES: readonly Crash[] = [
  {
    what: 'a worker',
    strike: async () => {
      const dispatcher = await cluster.dispatcher()
      await cluster.node(dispatcher === 'n1' ? 'n2' : 'n1').kill()
    },
    repair: restartDeadNodes,
  },
  {
    what: 'the dispatcher',
    strike: async () => void (await cluster.node(await cluster.dispatcher()).kill()),
    repair: restartDeadNodes,
  },
  {
    what: 'both nodes',
    strike: async () => {
      await Promise.all([...cluster.nodes.values()].map((node) => node.kill()))
      await restartDeadNodes()
    },
    losesAttempts: true,
  },
  {
    what: 'the service',
    strike: async () => {
      await cluster.service.kill()
      await cluster.service.restart()
    },
  },
  {
    what: 'the embedded PostgreSQL of the service',
    strike: async () => void process.kill(await cluster.service.databasePid(), 'SIGKILL'),
  },
  {
    what: 'the service and its PostgreSQL',
    strike: async () => {
      const pid = await cluster.service.databasePid()
      await cluster.service.kill()
      process.kill(pid, 'SIGKILL')
      await cluster.service.restart()
    },
  },
]

test.each(CRASHES.map((crash) => [crash.what, crash] as const))(
  'kill -9 of %s during a copy: every row is there once',
  async (_, crash) => {
    await cluster.allOnline()
    await using rig = await CopyRig.make(cluster, { bytesPerSecond: 500_000 })
    const { source, target } = rig.names
    const started = await cluster.client.copy({ source, sink: target, from: 'orders', to: 'orders', parts: 16, verify: 'checksum' })
    const midway = await waitFor('some parts are done and some run', () => cluster.client.runs.get(started.id), isMidway, {
      timeoutMs: 60_000,
    })

    await crash.strike(midway)
    rig.link.heal()
    const run = await ended(started.id)
    await crash.repair?.()

    expect(
      run,
      `${story(run)}
${cluster.warnings}`,
    ).toMatchObject({ status: 'succeeded', verification: { status: 'passed' } })
    expect(await CopyRig.fingerprint(rig.target)).toEqual(await CopyRig.fingerprint(rig.source))
    expect(run.rowsWritten).toBe(rig.rows)
    const lost = run.tasks.flatMap((task) => task.attempts).filter((attempt) => attempt.status !== 'succeeded')
    if (crash.losesAttempts) expect(lost.length).toBeGreaterThan(0)
  },
)

test('after all that, no log of service or nodes holds a password, a token or a key', async () => {
  const { password } = await sharedServer()

  expect(cluster.logs).not.toContain(password)
  expect(cluster.logs).not.toContain(cluster.service.token)
  expect(cluster.logs).not.toMatch(/pgk_[a-z0-9]+_\w{20}/)
})

function isMidway(run: RunView): boolean {
  const parts = run.tasks.filter((task) => task.kind === 'part')
  return parts.some((task) => task.status === 'succeeded') && parts.some((task) => task.status === 'running')
}

/** The service may be away for a moment: looking again is what a person would do. */
function ended(run: string): Promise<RunView> {
  return waitFor(
    `run ${run} has ended`,
    () => cluster.client.runs.get(run),
    (seen) => seen.endedAt !== null,
    { timeoutMs: ENDED_MS, everyMs: 150 },
  )
}

async function restartDeadNodes(): Promise<void> {
  for (const node of cluster.nodes.values()) if (!node.process.running) await node.restart()
}
