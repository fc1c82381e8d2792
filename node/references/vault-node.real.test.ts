/** The token for Vault of a node that runs, joined to a service. */
import { KvServer } from '@postern/testkit/kv-server.ts'
import { TestService } from '@postern/testkit/service.ts'
import { waitFor } from '@postern/testkit/wait-for.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LocalNode } from '../testing/local-node.ts'

const HOUR = 3_600_000
let service: TestService
let vault: KvServer
let key: string

beforeAll(async () => {
  ;[service, vault] = await Promise.all([TestService.start(), KvServer.start()])
  key = (await service.client.gateways.create({ name: 'demo' })).key1 ?? ''
})
afterAll(async () => {
  await service?.[Symbol.asyncDispose]()
  await vault?.[Symbol.asyncDispose]()
})

const nodeWith = (name: string, token: string) =>
  LocalNode.start({ url: service.url, key, name, environment: { VAULT_ADDR: vault.url, VAULT_TOKEN: token } })

test('a node renews its token, and says in its status when it cannot', async () => {
  const late = vault.token(['secret/'], { periodMs: HOUR, ageMs: 0.9 * HOUR })
  await using renewing = await nodeWith('renewing', late)
  await waitFor('the renewal', () => vault.seen.includes('POST /v1/auth/token/renew-self'))
  expect((await renewing.status()).vaultFault).toBeNull()

  const fixed = vault.token(['secret/'], { lifeMs: HOUR, renewable: false })
  await using ending = await nodeWith('ending', fixed)
  const { vaultFault } = await waitFor(
    'the fault',
    () => ending.status(),
    (status) => status.vaultFault !== null,
  )

  expect(vaultFault).toMatch(/VAULT_TOKEN for Vault ends at .* it is not renewable/)
  expect(vaultFault).not.toContain(fixed)
})
