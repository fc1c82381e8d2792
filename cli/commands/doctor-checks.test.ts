import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkServiceFolder } from './doctor-checks.ts'

async function folderWith(...files: readonly string[]) {
  const path = await mkdtemp(join(tmpdir(), 'postern-doctor-'))
  for (const file of files) await writeFile(join(path, file), '', { mode: 0o600 })
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

test('a service whose first token was deleted, as the docs advise, is all right', async () => {
  await using folder = await folderWith('service.json')

  expect(await checkServiceFolder(folder.path)).toMatchObject({ result: 'PASS', detail: folder.path })
})

test('a first token that others can read is a failure, with the command that mends it', async () => {
  await using folder = await folderWith('service.json', 'admin-token')
  await chmod(join(folder.path, 'admin-token'), 0o644)

  const check = await checkServiceFolder(folder.path)

  expect(check).toMatchObject({ result: 'FAIL', remedy: `chmod 600 ${join(folder.path, 'admin-token')}` })
})

test('a folder in which no service was ever started is said to be that', async () => {
  await using folder = await folderWith()

  const check = await checkServiceFolder(folder.path)

  expect(check).toMatchObject({ result: 'FAIL', detail: `no service has been started in ${folder.path}` })
})

test('no folder is no service here, and nothing to mend', async () => {
  await using folder = await folderWith()

  expect(await checkServiceFolder(join(folder.path, 'none'))).toMatchObject({ result: 'SKIP' })
})
