import { Client } from '@postern/client/client.ts'
import { LocalService } from '@postern/service/testing/local-service.ts'
import { expect, test } from 'vitest'
import { makeAccount, nextSteps } from './next.ts'

test('a demo that stays up says where its portal is, and who can sign in there', async () => {
  await using service = await LocalService.start()
  const { url } = service
  const token = service.headers['authorization']?.replace('Bearer ', '') ?? ''

  const account = await makeAccount(new Client({ url, token }))

  const signedIn = await fetch(`${url}/v1/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(account),
  })
  expect(signedIn.status).toBe(200)
  const [[, click] = []] = nextSteps({ url, tokenFile: '.demo/service/admin-token', lake: '.demo/lake', account })
  expect(click?.[0]).toContain(`${url} `)
  expect(click?.[0]).toContain(account.name)
  expect(click?.[0]).toContain(account.password)
})
