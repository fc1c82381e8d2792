import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { welcome } from './service-welcome.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-welcome-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('who starts a service is told where the portal is, and where the token for the first visit lies', async () => {
  const adminTokenFile = join(folder, 'admin-token')
  await writeFile(adminTokenFile, 'pst_x\n')

  const said = await welcome({ url: 'http://127.0.0.1:7400', adminTokenFile })

  expect(said).toContain('http://127.0.0.1:7400')
  expect(said).toContain(adminTokenFile)
  expect(said).not.toContain('pst_x')
})

test('a token that was deleted is not spoken of', async () => {
  const said = await welcome({ url: 'http://127.0.0.1:7400', adminTokenFile: join(folder, 'none') })

  expect(said).toBe('The portal: http://127.0.0.1:7400')
})
