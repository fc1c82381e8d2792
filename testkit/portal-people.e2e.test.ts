/** People, roles, tokens, providers, one's own account and the audit in a real Chromium. */
import { resolve } from 'node:path'
import type { GrantView } from '@postern/protocol/api/grants.ts'
import { LocalService } from '@postern/service/testing/local-service.ts'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, type Scheme, type Visitor, type Width } from './browser.ts'
import { waitFor } from './wait-for.ts'

const PAGES = resolve(import.meta.dirname, '..', 'portal', 'dist')
const PASSWORD = 'a gate in the north wall'
const LOOKS: readonly (readonly [Scheme, Width])[] = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
]
/** Where each page is, and what stands on it once it is there. */
const PLACES = [
  ['people', '/people', 'Last signed in'],
  ['person', '/people/bea', 'Sign out everywhere'],
  ['groups', '/groups', 'analysts'],
  ['group', '/groups/analysts', 'put in here'],
  ['grants', '/grants', 'store shop'],
  ['tokens', '/tokens', 'nightly'],
  ['providers', '/providers', 'How long a sign-in lasts'],
  ['new-provider', '/providers/-/new', 'Set it up'],
  ['provider', '/providers/acme', 'Roles of groups'],
  ['account', '/account', 'What you may'],
  ['audit', '/audit', 'person.create'],
] as const

describe.skipIf(browserMissing() !== undefined)('people and the audit in the portal', () => {
  let service: LocalService
  let browser: Browser

  beforeAll(async () => {
    service = await LocalService.start({ pages: PAGES })
    const make = (path: string, body: unknown) => service.api('POST', path, body)
    await make('/v1/people', { name: 'ada', password: PASSWORD, role: 'administrator' })
    await make('/v1/people', { name: 'bea', displayName: 'Bea Other', email: 'bea@example.com', password: PASSWORD, role: 'none' })
    await make('/v1/gateways', { name: 'demo' })
    for (const name of ['shop', 'lake']) await make('/v1/stores', { kind: 'files', gateway: 'demo', name, settings: { path: '/srv/x' } })
    await make('/v1/groups', { name: 'analysts', description: 'who look at sales' })
    await service.api('PUT', '/v1/groups/analysts/members/person%2Fbea')
    await make('/v1/grants', { to: 'group/analysts', role: 'store-user', on: 'store/shop' })
    await make('/v1/tokens', { name: 'nightly', roles: [{ role: 'store-user', on: 'store/shop' }], limits: { maxRows: 1_000 } })
    await service.api('PUT', '/v1/oidc/acme', {
      issuer: 'https://login.example.com/realms/acme',
      clientId: 'postern',
      title: 'Acme',
      allowDomains: ['example.com'],
      roles: { dba: 'operator' },
    })
    browser = await Browser.start()
  })
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
  })

  async function signIn(page: Page, name: string, password = PASSWORD): Promise<void> {
    await page.getByLabel('Name').fill(name)
    await page.getByRole('textbox', { name: 'Password' }).first().fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  async function visit(path: string, name = 'ada', look?: { readonly scheme?: Scheme; readonly width?: Width }): Promise<Visitor> {
    const visitor = await browser.visitor(service.url, look)
    await visitor.page.goto(path)
    await signIn(visitor.page, name)
    await visitor.page.getByRole('navigation', { name: 'Main' }).waitFor({ state: 'attached' })
    return visitor
  }

  const grants = () => service.api<{ readonly items: readonly GrantView[] }>('GET', '/v1/grants')

  test.each(LOOKS)('in %s at %i pixels every page shows what it should and shuts nobody out', async (scheme, width) => {
    await using visitor = await visit('/people', 'ada', { scheme, width })
    const { page } = visitor
    const barriers: string[] = []
    for (const [name, path, sign] of PLACES) {
      await page.goto(path)
      await page.getByText(sign).first().waitFor()
      await page.waitForLoadState('networkidle')
      await visitor.shot(`people-${name}`)
      barriers.push(...(await visitor.barriers()).map((barrier) => `${name}: ${barrier}`))
      if ((await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth')) > 0) barriers.push(`${name} hangs over`)
    }
    await page.getByRole('table').getByRole('button').first().click()
    await page.getByText(/^All that/).waitFor()
    await visitor.shot('people-audit-record')
    barriers.push(...(await visitor.barriers()))

    expect({ barriers, complaints: visitor.complaints }).toEqual({ barriers: [], complaints: [] })
  })

  test('a person is made, signs in with what was shown once, and sees only what is hers', async () => {
    await using visitor = await visit('/people')
    const { page } = visitor
    await page.getByRole('button', { name: 'New person' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('cleo')
    await page.getByRole('button', { name: 'Make the account' }).click()
    const once = await page.locator('pre').innerText()
    await visitor.shot('people-made')
    await using other = await browser.visitor(service.url)
    await other.page.goto('/audit')
    await signIn(other.page, 'cleo', once.trim())
    await other.page.getByLabel('New password').fill('quite another gate')
    await other.page.getByRole('button', { name: 'Sign in', exact: true }).click()

    await other.page.getByText('Reading it needs audit:read').waitFor()
    expect(await other.page.getByRole('link', { name: 'Audit', exact: true }).count()).toBe(0)
    await other.page.goto('/people')
    await other.page.getByRole('heading', { name: 'Roles given' }).waitFor()
    expect(await other.page.getByRole('button', { name: /^Give a role/ }).getAttribute('aria-disabled')).toBe('true')
    await other.shot('people-without-rights')
    expect([...visitor.complaints, ...other.complaints]).toEqual([])
  })

  test('a role is given on a store, shown where it is, and taken away', async () => {
    await using visitor = await visit('/people/bea')
    const { page } = visitor
    await page.getByRole('button', { name: 'Give a role' }).click()
    await page.getByRole('combobox', { name: 'Where' }).click()
    await page.getByRole('option', { name: 'store lake' }).click()
    await page.getByRole('radio', { name: 'store-owner' }).check()
    await visitor.shot('people-give-role')
    await page.getByRole('button', { name: 'Give the role' }).click()
    await page.getByRole('link', { name: 'store lake' }).waitFor()
    expect((await grants()).items).toContainEqual(expect.objectContaining({ to: 'person/bea', role: 'store-owner', on: 'store/lake' }))

    await page.getByRole('button', { name: 'Take the role store-owner on store lake from person bea' }).click()
    await page.getByRole('button', { name: 'Take away', exact: true }).click()
    await page.getByText('None by itself').waitFor()
    expect((await grants()).items.filter(({ to }) => to === 'person/bea')).toEqual([])
    expect(visitor.complaints).toEqual([])
  })

  test('a token that was made in the portal opens what its maker may, until it is deleted by name', async () => {
    await using visitor = await visit('/tokens')
    const { page } = visitor
    await page.getByRole('button', { name: 'New token' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('laptop')
    await page.getByRole('button', { name: 'Make the token' }).click()
    const authorization = `Bearer ${(await page.locator('pre').innerText()).trim()}`
    await page.getByRole('button', { name: 'Close', exact: true }).last().click()
    expect((await service.fetch('GET', '/v1/people', undefined, { authorization })).status).toBe(200)

    await page.getByRole('button', { name: 'Delete token laptop' }).click()
    await page.getByLabel('Type laptop to delete it').fill('laptop')
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('laptop', { exact: true }).waitFor({ state: 'detached' })
    await waitFor('the token opens nothing', async () => (await service.fetch('GET', '/v1/people', undefined, { authorization })).status === 401)
    expect(visitor.complaints).toEqual([])
  })

  test('the filters of the audit stand in the address and hold for its export', async () => {
    await using visitor = await visit('/audit?action=grant')
    const { page } = visitor
    await page.getByText('grant.create').first().waitFor()
    expect(await page.getByText('person.create').count()).toBe(0)
    await page.getByRole('combobox', { name: 'On', exact: true }).fill('store/shop')
    await page.getByRole('combobox', { name: 'On', exact: true }).press('Enter')
    await page.waitForURL(/target=/)
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export CSV' }).click()])
    const lines = (await (await download.createReadStream()).toArray()).join('').trim().split('\r\n')

    expect(download.suggestedFilename()).toBe('postern-audit.csv')
    expect(lines.slice(1).map((line) => line.includes('grant.create') && line.includes('store/shop'))).toEqual([true])
  })

  test('one’s own password is changed, and a sign-in that was ended elsewhere asks again at the same page', async () => {
    await using here = await visit('/account', 'bea')
    await using there = await visit('/account', 'bea')
    await here.page.getByLabel('The one you have').fill(PASSWORD)
    await here.page.getByLabel('New password').fill('quite another gate')
    await here.page.getByLabel('The new one again').fill('quite another gate')
    await here.page.getByRole('button', { name: 'Change it' }).click()
    await here.page.getByText('Your password is changed').waitFor()

    await waitFor('the other one is out', async () => (await there.page.evaluate('fetch("/v1/sign-in").then((answer) => answer.status)')) === 401)
    await there.page.getByRole('link', { name: 'your own' }).click()
    await there.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    await signIn(there.page, 'bea', 'quite another gate')
    await there.page.getByRole('heading', { name: 'Tokens' }).waitFor()
    expect([...here.complaints, ...there.complaints]).toEqual([])
  })

  test('an account is deleted only by who types its name', async () => {
    await service.api('POST', '/v1/people', { name: 'dan', password: PASSWORD, role: 'reader' })
    await using visitor = await visit('/people/dan')
    const { page } = visitor
    await page.getByRole('button', { name: 'Delete…' }).click()
    const remove = page.getByRole('button', { name: 'Delete', exact: true })
    await page.getByLabel('Type dan to delete it').fill('ada')
    expect(await remove.isDisabled()).toBe(true)
    await page.getByLabel('Type dan to delete it').fill('dan')
    await remove.click()
    await page.getByRole('heading', { name: 'People' }).waitFor()

    expect((await service.fetch('GET', '/v1/people/dan')).status).toBe(404)
    expect(visitor.complaints).toEqual([])
  })
})
