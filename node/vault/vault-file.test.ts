import { mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@postern/base/random.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { VaultFiles } from './vault-file.ts'

let folder: string
const files = (secret = 'c2VjcmV0') => new VaultFiles({ folder, secret, random: systemRandom })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-vault-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('what is kept is read again, and is not on the disk in clear', async () => {
  await files().write('one', 'top secret')

  expect(await files().read('one')).toBe('top secret')
  expect(Buffer.from(await readFile(join(folder, 'one'), 'utf8'), 'base64url').toString('latin1')).not.toContain('secret')
})

test('another node, a file that was put in the place of another, and no file: nothing is read', async () => {
  await files().write('one', 'top secret')

  expect(await files('b3RoZXI').read('one')).toBeUndefined()
  await rename(join(folder, 'one'), join(folder, 'two'))
  expect(await files().read('two')).toBeUndefined()
  expect(await files().read('one')).toBeUndefined()
})
