import { X509Certificate } from 'node:crypto'
import { CertificateAuthority } from '@postern/testkit/certificates.ts'
import { beforeAll, expect, test } from 'vitest'
import { checkCertificate, expiryOf, namesHost } from './certificate-check.ts'

const NOW = Date.now()
const DAY = 86_400_000
let authority: CertificateAuthority
beforeAll(async () => {
  authority = await CertificateAuthority.make()
})

const leafOf = async (wish: Parameters<CertificateAuthority['issue']>[0]) => new X509Certificate((await authority.issue(wish)).cert)

test('a certificate of a CA that is named, at first hand or by a chain, does', async () => {
  for (const chain of [false, true]) {
    const files = { ...(await authority.issue({ names: ['a.example'], chain })), ca: authority.cert }
    expect(checkCertificate(files, NOW).leaf.subjectAltName).toContain('a.example')
  }
})

test('what is wrong with one is said', async () => {
  const good = { ...(await authority.issue({ names: ['a.example'] })), ca: authority.cert }
  const chained = await authority.issue({ names: ['a.example'], chain: true })
  const other = await (await CertificateAuthority.make('Another')).issue({ names: ['a.example'] })
  const nameless = await authority.issue({})
  const said = (files: Parameters<typeof checkCertificate>[0], now = NOW) => {
    try {
      checkCertificate(files, now)
      return 'nothing'
    } catch (cause) {
      return String(cause)
    }
  }

  expect(said({ ...good, cert: 'x' })).toMatch(/holds none/)
  expect(said({ ...good, key: 'x' })).toMatch(/key cannot be read/)
  expect(said({ ...good, key: other.key })).toMatch(/key is not that of the certificate/)
  expect(said({ ...good, ...other })).toMatch(/no CA of the given file has issued it.*Another/)
  expect(said({ ...chained, cert: chained.cert.slice(0, chained.cert.indexOf('-----BEGIN', 10)), ca: authority.cert })).toMatch(
    /issued by CN=between/,
  )
  expect(said({ ...nameless, ca: authority.cert })).toMatch(/names no host/)
  expect(said(good, NOW - 500 * DAY)).toMatch(/valid from/)
})

test('an administrator hears of the end thirty days ahead, and of the end', async () => {
  const leaf = await leafOf({ names: ['a.example'], days: 60 })

  expect(expiryOf(leaf, NOW)).toEqual({ fault: null, notice: null })
  expect(expiryOf(leaf, NOW + 29 * DAY).notice).toBeNull()
  expect(expiryOf(leaf, NOW + 30.5 * DAY).notice).toMatch(/expires in 30 days, on \d{4}-/)
  expect(expiryOf(leaf, NOW + 59.5 * DAY).notice).toMatch(/in 1 day,/)
  expect(expiryOf(leaf, NOW + 61 * DAY)).toEqual({ fault: expect.stringMatching(/has expired on/), notice: null })
})

test('each name of a certificate counts, wildcards for one step', async () => {
  const leaf = await leafOf({ names: ['a.example', '*.domain.example', 'c.example'], addresses: ['10.0.0.1', '::1'] })

  expect(['a.example', 'node1.domain.example', 'c.example', '10.0.0.1', '::1'].map((host) => namesHost(leaf, host))).toEqual(
    Array(5).fill(true),
  )
  expect(['b.example', 'x.node1.domain.example', 'domain.example', '10.0.0.2'].map((host) => namesHost(leaf, host))).toEqual(
    Array(4).fill(false),
  )
})
