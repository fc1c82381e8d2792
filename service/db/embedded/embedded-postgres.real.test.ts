import { spawn } from 'node:child_process'
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLog } from '@postern/base/log.ts'
import { testFolder } from '@postern/testkit/folder.ts'
import pg from 'pg'
import { expect, test } from 'vitest'
import { EmbeddedPostgres } from './embedded-postgres.ts'
import { isAlive } from './postmaster.ts'

const make = (folder: string) => new EmbeddedPostgres({ folder, log: silentLog })

async function query(server: EmbeddedPostgres, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: server.url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = await Promise.resolve(look()).catch(() => undefined)
    if (found !== undefined && found !== false) return found as T
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('It did not come true.')
}

test('it keeps what was written over a stop and a start, on the same port', async () => {
  await using folder = await testFolder()
  const first = make(folder.path)
  await first.start()
  await query(first, 'create table kept as select 42 as answer')
  const { port } = first.connection
  await first.stop()

  await using second = make(folder.path)
  await second.start()

  expect(await query(second, 'select answer from kept')).toEqual([{ answer: 42 }])
  expect(second.connection.port).toBe(port)
  expect((await stat(join(folder.path, 'postgres-password'))).mode & 0o777).toBe(0o600)
})

test('it is started again when it was killed', async () => {
  await using folder = await testFolder()
  await using server = make(folder.path)
  await server.start()
  await query(server, 'create table kept as select 42 as answer')
  const killed = server.pid as number

  process.kill(killed, 'SIGKILL')
  await until(() => (server.pid !== killed ? true : undefined))

  expect(await until(() => query(server, 'select answer from kept'))).toEqual([{ answer: 42 }])
})

test('what a killed service left running is stopped, and its data taken over', async () => {
  await using folder = await testFolder()
  const script = join(folder.path, 'service.ts')
  await writeFile(
    script,
    `import { EmbeddedPostgres } from ${JSON.stringify(join(import.meta.dirname, 'embedded-postgres.ts'))}
     import { silentLog } from ${JSON.stringify(join(import.meta.dirname, '../../../base/log.ts'))}
     const server = new EmbeddedPostgres({ folder: ${JSON.stringify(join(folder.path, 'data'))}, log: silentLog })
     await server.start()
     process.stdout.write(String(server.pid))
     process.kill(process.pid, 'SIGKILL')`,
  )
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (bytes) => (said += bytes))
  await new Promise((resolve) => child.once('close', resolve))
  const orphan = Number(said)
  expect(isAlive(orphan)).toBe(true)

  await using server = make(join(folder.path, 'data'))
  await server.start()

  expect(isAlive(orphan)).toBe(false)
  expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('a postmaster.pid whose number another program has now is no obstacle, and that program lives', async () => {
  await using folder = await testFolder()
  const first = make(folder.path)
  await first.start()
  const file = join(folder.path, 'postgres', 'postmaster.pid')
  const text = await readFile(file, 'utf8')
  await first.stop()
  const other = spawn('sleep', ['60'])
  await writeFile(file, text.replace(/^\d+/, String(other.pid)))

  try {
    await using server = make(folder.path)
    await server.start()

    expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(other.exitCode).toBe(null)
  } finally {
    other.kill()
  }
})

test('a start that was cut short in the making leaves nothing in the way', async () => {
  await using folder = await testFolder()
  await mkdir(join(folder.path, 'postgres.part'))
  await writeFile(join(folder.path, 'postgres.part', 'PG_VERSION'), '18\n')
  await writeFile(join(folder.path, 'postgres.json'), '{"data":')

  await using server = make(folder.path)
  await server.start()

  expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('a password file that was lost is said at once, and nothing is left running', async () => {
  await using folder = await testFolder()
  const first = make(folder.path)
  await first.start()
  await first.stop()
  await rm(join(folder.path, 'postgres-password'))
  await using second = make(folder.path)

  await expect(second.start()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('postgres-password') })

  await until(
    async () =>
      !(await readFile(join(folder.path, 'postgres', 'postmaster.pid')).then(
        () => true,
        () => false,
      )),
  )
})

test.runIf(process.getuid?.() === 0)('as root, below a folder that nobody else may enter, it keeps its data where it can', async () => {
  await using folder = await testFolder()
  await chmod(folder.path, 0o700)
  const data = join(folder.path, 'data')
  await using server = make(data)
  await server.start()

  const pointer = JSON.parse(await readFile(join(data, 'postgres.json'), 'utf8')) as { data: string; note: string }
  try {
    expect(await query(server, 'select 1 as one')).toEqual([{ one: 1 }])
    expect(pointer.data).toMatch(/^\/var\/lib\/postern\//)
    expect(pointer.note).toContain('cannot pass')
    await server.stop()

    await using again = make(data)
    await again.start()
    expect(await query(again, 'select 1 as one')).toEqual([{ one: 1 }])
    expect((JSON.parse(await readFile(join(data, 'postgres.json'), 'utf8')) as typeof pointer).data).toBe(pointer.data)
    await again.stop()

    // Deleted and made anew, the folder begins afresh.
    await rm(data, { recursive: true })
    await using afresh = make(data)
    await afresh.start()
    expect(await query(afresh, 'select 1 as one')).toEqual([{ one: 1 }])
  } finally {
    await server.stop()
    await rm(`${join(pointer.data, '..')}-2`, { recursive: true, force: true })
    await rm(join(pointer.data, '..'), { recursive: true, force: true })
  }
})
