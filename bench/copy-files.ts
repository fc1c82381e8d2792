/**
 * Copy of 10,000 files of 1 KB from folder to folder as they are, through a service and a node: planned, read, hashed, written down to
 * the disk, verified and published. Wanted: 300 files/s. Beside it, for scale, `cp -r`, which does none of the rest.
 *
 *   npx node bench/copy-files.ts [FILES]
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median, timed } from './tools/compare.ts'
import { shell } from './tools/psql.ts'
import { Rig } from './tools/rig.ts'

const files = Number(process.argv[2] ?? 10_000)
const FOLDERS = 100
await using rig = await Rig.start({ nodes: 1 })
for (let i = 0; i < FOLDERS; i += 1) mkdirSync(join(rig.lake, 'small', String(i)), { recursive: true })
for (let i = 0; i < files; i += 1) writeFileSync(join(rig.lake, 'small', String(i % FOLDERS), `${i}.bin`), randomBytes(1_000))

const times: number[] = []
for (let round = 0; round < 3; round += 1) {
  times.push(
    await timed(() =>
      rig.copy({ source: 'lake', sink: 'lake', from: 'small/**', to: `copy${round}/`, read: { format: 'binary' }, verify: 'checksum' }),
    ),
  )
}
const plain = join(rig.lake, 'plain')
const copied = await timed(() => shell(`cp -r ${join(rig.lake, 'small')} ${plain}`, rig.server, rig.database.name))
rmSync(plain, { recursive: true })

const seconds = median(times)
const all = times.map((time) => time.toFixed(1)).join(', ')
console.log(`\ncopy-files: ${files.toLocaleString('en-US')} files of 1 KB, folder to folder, verified by checksum`)
console.log(
  `  postern copy  ${seconds.toFixed(2)} s  ${(files / seconds).toFixed(0)} files/s   (3 runs: ${all} s; wanted: at least 300 files/s)`,
)
console.log(`  cp -r         ${copied.toFixed(2)} s  ${(files / copied).toFixed(0)} files/s   (unverified, not down to the disk)`)
console.log(`  node          ${residentMb(rig.pids.node)} MB resident at most`)

function residentMb(pid: number): string {
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return peak === undefined ? '?' : (Number(peak) / 1_024).toFixed(0)
}
