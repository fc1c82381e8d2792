/**
 * Memory (RSS) of a node process and of the service process, when they have nothing to do. The embedded PostgreSQL is not counted.
 *
 *   npx node bench/idle-memory.ts
 */
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from './tools/compare.ts'
import { Rig } from './tools/rig.ts'

const SETTLE_MS = 15_000
const LOOKS = 5

await using rig = await Rig.start({ nodes: 1 })

function megabytes(pid: number): number {
  return (Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1_024) / 1e6
}

async function idle(title: string): Promise<void> {
  await sleep(SETTLE_MS)
  const looks = { node: [] as number[], service: [] as number[] }
  for (let look = 0; look < LOOKS; look += 1) {
    looks.node.push(megabytes(rig.pids.node))
    looks.service.push(megabytes(rig.pids.service))
    await sleep(1_000)
  }
  console.log(`\nidle-memory: ${title}`)
  console.log(`  node      ${median(looks.node).toFixed(0)} MB   (wanted: at most 100)`)
  console.log(`  service   ${median(looks.service).toFixed(0)} MB   (wanted: at most 150)`)
}

await idle('after the start')
await (await rig.client.query('bench', { sql: 'select 1 as one' })).rows()
await idle('after a first query')
