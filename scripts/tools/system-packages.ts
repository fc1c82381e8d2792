/** System packages that some tests need: installed with apt where that is allowed, named where not. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

interface Need {
  /** The program that shows that it is there. */
  readonly program: string
  readonly package: string
  /** What is left out without it. */
  readonly for: string
}

const NEEDS: readonly Need[] = [
  { program: 'psql', package: 'postgresql-client', for: 'benchmarks against psql' },
  { program: 'pg_ctl', package: 'postgresql', for: 'tests with pg_dump' },
  { program: 'chromium', package: 'chromium', for: 'tests of the portal in a browser' },
  { program: 'mariadbd', package: 'mariadb-server', for: 'tests of stores of kind mysql' },
]

/** Debian and Ubuntu put the server of each version here, and not on the path. */
const POSTGRES = '/usr/lib/postgresql'

const APT_MS = 240_000

export interface Provision {
  readonly installed: readonly string[]
  /** One sentence each: what is missing, why, and what is left out. */
  readonly missing: readonly string[]
}

export function provideSystemPackages(): Provision {
  const wanted = NEEDS.filter(({ program }) => !isOnPath(program))
  if (wanted.length === 0) return { installed: [], missing: [] }
  const reason = install(wanted.map((need) => need.package))
  const still = wanted.filter(({ program }) => !isOnPath(program))
  return {
    installed: wanted.filter((need) => !still.includes(need)).map((need) => need.package),
    missing: still.map((need) => `${need.program} (package ${need.package}) is missing: ${reason}; left out: ${need.for}`),
  }
}

/** Why it could not be installed; what it says of success nobody reads. */
function install(packages: readonly string[]): string {
  if (process.env['POSTERN_NO_APT']) return 'POSTERN_NO_APT is set'
  if (!isOnPath('apt-get')) return 'this system has no apt-get'
  if (process.getuid?.() !== 0) return 'only root may install it'
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]) => spawnSync('apt-get', args, { env, stdio: 'ignore', timeout: APT_MS, killSignal: 'SIGKILL' })
  if (apt('install', '-y', '--no-install-recommends', ...packages).status === 0) return ''
  apt('update')
  return apt('install', '-y', '--no-install-recommends', ...packages).status === 0 ? '' : 'apt-get could not install it'
}

function isOnPath(program: string): boolean {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES).map((version) => join(POSTGRES, version, 'bin')) : []
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin', ...versions]
  return folders.some((folder) => {
    const file = join(folder, process.platform === 'win32' ? `${program}.exe` : program)
    if (!existsSync(file)) return false
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
