import { once } from 'node:events'
import { chown, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import type { Log } from '@postern/base/log.ts'
import { unreachable } from './last-words.ts'
import type { Place } from './place.ts'
import { runProgram } from './run-program.ts'

export interface DataOptions {
  readonly user: string
  readonly password: string
  readonly durable: boolean
  readonly log: Log
}

/** PostgreSQL's data folder, made aside and renamed: a start that is cut short leaves nothing that looks like a database. */
export async function makeData(place: Place, { user, password, durable, log }: DataOptions): Promise<void> {
  const half = `${place.data}.part`
  const secret = `${place.data}.pw`
  await rm(half, { recursive: true, force: true })
  await mkdir(half, { recursive: true, mode: 0o700 })
  await writeFile(secret, password, { mode: 0o600 })
  if (place.user) for (const path of [half, secret]) await chown(path, place.user.uid, place.user.gid)
  const args = ['-D', half, '-U', user, '-A', 'scram-sha-256', `--pwfile=${secret}`, '-E', 'UTF8', '--locale=C', '--no-instructions']
  const child = runProgram(place, { name: 'initdb', args: durable ? args : [...args, '--no-sync'], output: 'pipe', log })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (said = (said + bytes).slice(-4_096)))
  const [code] = (await once(child, 'close')) as [number | null]
  await rm(secret, { force: true })
  if (code !== 0) throw unreachable(said, `PostgreSQL's data folder could not be made in ${place.data}.`)
  await rename(half, place.data)
}
