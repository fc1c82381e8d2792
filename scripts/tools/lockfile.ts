/**
 * Packages with native parts name one optional package a platform. npm leaves those out of the lockfile that the registry at hand
 * does not have, and then `npm ci` refuses the lockfile as incomplete, on every platform. An entry with the exact version and the
 * platforms it is for makes it whole: npm passes over what is for another platform, and fetches it there.
 */
export interface Locked {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly libc?: readonly string[]
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
export type Packages = Readonly<Record<string, Locked>>

const SYSTEMS: Readonly<Record<string, string>> = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  openharmony: 'openharmony',
  win32: 'win32',
  windows: 'win32',
}
const PROCESSORS: Readonly<Record<string, string>> = {
  arm: 'arm',
  arm64: 'arm64',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  x64: 'x64',
}

/** Entries that stand in no lockfile although a package in it names them. */
export function missingPlatforms(packages: Packages): Packages {
  const missing: Record<string, Locked> = {}
  for (const [path, { optionalDependencies, dev }] of Object.entries(packages))
    for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
      if (isLocked(packages, path, name)) continue
      missing[`node_modules/${name}`] = { version, ...platformOf(name), ...(dev ? { dev } : {}), optional: true }
    }
  return missing
}

/** As Node.js looks: in the package's own node_modules, then in each folder above. */
function isLocked(packages: Packages, from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    if (packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]) return true
    if (!folder.includes('node_modules/')) return folder !== '' && packages[`node_modules/${name}`] !== undefined
  }
}

/** What the name says: "@duckdb/node-bindings-linux-arm64-musl". */
export function platformOf(name: string): Pick<Locked, 'os' | 'cpu' | 'libc'> {
  const words = (name.split('/').at(-1) ?? '').split('-')
  const os = words.map((word) => SYSTEMS[word]).find((found) => found !== undefined)
  const cpu = words.map((word) => PROCESSORS[word]).find((found) => found !== undefined)
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : words.some((word) => word.startsWith('gnu')) ? 'glibc' : undefined
  if (!os || !cpu) throw new Error(`the name ${name} does not say which platform it is for: add its words here`)
  return { os: [os], cpu: [cpu], ...(libc ? { libc: [libc] } : {}) }
}
