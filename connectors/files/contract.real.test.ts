import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '@postern/protocol/fault.ts'
import { connectorContract } from '@postern/testkit/connector-contract.ts'
import type { ConnectorRig } from '@postern/testkit/contract/rig.ts'
import type { Part } from '../copy-contract.ts'
import { FilesConfig, files } from './index.ts'
import { FilesSession } from './session.ts'
import { soon } from './testing/test-store.ts'

/** The suite once for each layout: in folders, and in single files. */
for (const ending of ['.parquet/', '.csv/', '.csv.zst', '.ndjson.gz/', '.tsv']) {
  connectorContract(`files as ${ending}`, () => filesRig(ending), files)
}

async function filesRig(ending: string): Promise<ConnectorRig> {
  const root = await mkdtemp(join(tmpdir(), 'postern-files-contract-'))
  const path = join(root, 'store')
  const scratch = join(root, 'scratch')
  await mkdir(path)
  await writeFile(join(root, 'a-file'), '')
  const looking = new FilesSession({ path, maxFiles: 1_000, memoryMb: 256, maxQueries: 8 }, { scratch })
  const sessions: FilesSession[] = []
  return {
    connector: {
      ...files,
      open: async (options) => {
        const session = new FilesSession(FilesConfig.parse(options.settings), options)
        sessions.push(session)
        return session
      },
    },
    access: { settings: { path } },
    scratch,
    failing: [
      { why: 'the folder is not there', access: { settings: { path: join(root, 'nowhere') } }, code: 'FILE_MISSING' },
      { why: 'the folder is a file', access: { settings: { path: join(root, 'a-file') } }, code: 'FILE_MISSING' },
    ],
    queries: {
      one: 'select 1 as n',
      many: (rows) => `select n, repeat('x', 1000) as filler from range(1, ${rows + 1}) t(n)`,
      slow: (marker) => `select sum(hash(a.range + b.range)) as ${marker} from range(1000000) a, range(1000000) b`,
      running: async (marker) => {
        const texts = await Promise.all(sessions.map((session) => session.running()))
        return texts.flat().filter((text) => text.includes(marker)).length
      },
      change: 'create table changed (n int)',
      broken: 'selekt 1',
    },
    source: {
      missing: 'nowhere/orders.csv',
      fill: async (name, rows) => {
        await mkdir(join(path, name), { recursive: true })
        const lines = Array.from({ length: rows }, (_, i) => `${i + 1},"name, ""${i + 1}"""\n`)
        const half = Math.ceil(rows / 2)
        await writeFile(join(path, name, 'a.csv'), `id,name\n${lines.slice(0, half).join('')}`)
        await writeFile(join(path, name, 'b.csv'), `id,name\n${lines.slice(half).join('')}`)
        return `${name}/`
      },
    },
    sink: {
      where: (name) => `${name}${ending}`,
      count: (where) => countRows(looking, where),
      residue: async () => (await readdir(path, { recursive: true })).filter((name) => /(?:^|\/)\./.test(name)),
    },
    [Symbol.asyncDispose]: async () => {
      await looking[Symbol.asyncDispose]()
      await rm(root, { recursive: true, force: true })
    },
  }
}

async function countRows({ source }: FilesSession, where: string): Promise<number> {
  try {
    const shape = await source.describe(where, {}, soon())
    const parts: readonly Part[] = await source.split(shape, { wanted: 1 })
    let rows = 0
    for (const part of parts) rows += (await source.digest({ shape, part, columns: shape.columns, checksum: false }, soon())).rows
    return rows
  } catch (cause) {
    if (Fault.from(cause).code === 'FILE_MISSING') return 0
    throw cause
  }
}
