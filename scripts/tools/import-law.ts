/** The import law: which room may use which (docs/architecture.md, ADR-0003). Checked by import-law.test.ts. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

/** Each room and the rooms that it may import. */
export const LAW = {
  protocol: [],
  base: ['protocol'],
  connectors: ['base', 'protocol'],
  engine: ['connectors', 'base', 'protocol'],
  service: ['base', 'protocol', 'connectors'],
  node: ['engine', 'connectors', 'base', 'protocol'],
  client: ['protocol'],
  cli: ['service', 'node', 'client', 'connectors', 'base', 'protocol'],
  portal: ['client', 'protocol'],
  testkit: ['protocol', 'base', 'connectors', 'engine', 'service', 'node', 'client', 'cli'],
  bench: ['protocol', 'base', 'connectors', 'engine', 'service', 'node', 'client', 'cli', 'testkit'],
  scripts: ['protocol', 'base', 'connectors', 'engine', 'service', 'node', 'client', 'cli', 'testkit'],
} as const satisfies Record<string, readonly string[]>

export type Room = keyof typeof LAW
export const ROOMS = Object.keys(LAW) as readonly Room[]

/**
 * Of the connectors, the service and the command line see the catalogue and nothing behind it: they load no driver. (The command
 * line seals what a schema marks as secret, and must not have to ask the service which settings those are.)
 */
const BEHIND_CATALOGUE: readonly string[] = ['service', 'cli']
const CATALOGUE = ['@postern/connectors/registry.ts', '@postern/connectors/contract.ts', '@postern/connectors/query-contract.ts']
/** Tests, and what stands in a folder `testing` for them, may use these besides: what a user has in hand. */
const FOR_TESTS: readonly string[] = ['testkit', 'client']
/** `protocol` runs in a browser, so it takes nothing but this. */
const PURE_PACKAGES = ['zod']

/** `from 'x'`, `import 'x'`, `import('x')`. Text in comments and strings may match too: it then only makes the law stricter. */
const SPECIFIER = /\b(?:from|import|import\s*\()\s*(['"])([\w@./:-]+)\1/g

export function specifiersOf(text: string): readonly string[] {
  return [...text.matchAll(SPECIFIER)].flatMap((match) => match[2] ?? [])
}

/** What is wrong with one import, or undefined. `file` is relative to the root, with "/". */
export function breach(file: string, specifier: string): string | undefined {
  const room = file.split('/')[0] as Room
  const isTest = file.endsWith('.test.ts') || file.includes('/testing/')
  // The testkit is what tests are made of, and benchmarks are measured with it.
  if (!isTest && room !== 'testkit' && room !== 'bench' && /(?:^|\/)testing\//.test(specifier))
    return `${file} imports ${specifier}, which is for tests only`
  const target = targetRoom(file, specifier)
  if (target === undefined) {
    const isPackage = !specifier.startsWith('.') && !specifier.startsWith('node:')
    if (room !== 'protocol' || isTest || specifier.startsWith('.')) return undefined
    return isPackage && PURE_PACKAGES.includes(specifier) ? undefined : `${file} imports ${specifier}, but protocol is pure`
  }
  if (target === room) return specifier.startsWith('@postern/') ? `${file} imports its own room by ${specifier}, not by a path` : undefined
  if (!specifier.startsWith('@postern/')) return `${file} reaches into ${target} by the path ${specifier}`
  if (isTest && FOR_TESTS.includes(target)) return undefined
  if (!(LAW[room] as readonly string[]).includes(target)) return `${file} imports ${specifier}, but ${room} may not use ${target}`
  if (BEHIND_CATALOGUE.includes(room) && target === 'connectors' && !isTest && !CATALOGUE.includes(specifier))
    return `${file} imports ${specifier}, but ${room} may use the connectors' catalogue only`
  return undefined
}

/** The room that an import leads to; undefined for npm packages, Node's own modules and things outside the rooms. */
function targetRoom(file: string, specifier: string): Room | undefined {
  const name = specifier.startsWith('@postern/')
    ? specifier.split('/')[1]
    : specifier.startsWith('.')
      ? relative('/', resolve('/', dirname(file), specifier)).split(sep)[0]
      : undefined
  return ROOMS.find((room) => room === name)
}

/** Every .ts and .tsx file of a room, relative to the root, with "/". */
export function filesOf(root: string, room: string): readonly string[] {
  return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .map((path) => `${room}/${path.split(sep).join('/')}`)
    .filter((path) => /\.tsx?$/.test(path) && !/(?:^|\/)(?:node_modules|dist)\//.test(path))
}

/** Every breach of the law under `root`. */
export function breaches(root: string): readonly string[] {
  return ROOMS.flatMap((room) =>
    filesOf(root, room).flatMap((file) =>
      specifiersOf(readFileSync(join(root, file), 'utf8')).flatMap((specifier) => breach(file, specifier) ?? []),
    ),
  )
}
