/** People, roles, tokens, providers, one's own account and the audit in a real Chromium. */
import { resolve } from 'node:path'
import type { GrantView, GroupView } from '@postern/protocol/api/grants.ts'
import { LocalService } from '@postern/service/testing/local-service.ts'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser, browserMissing, LOOKING, type Portal } from './browser.ts'
import { waitFor } from './wait-for.ts'

const PAGES = resolve(import.meta.dirname, '..', 'portal', 'dist')
const PASSWORD = 'a gate in the north wall'
/** Where each page is, and what stands on it once it is there. */
const PLACES = [
  ['people', '/people', 'Bea Other'],
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
  ['nobody', '/people/nobody', 'PERSON_UNKNOWN'],
  ['audit-of-nobody', '/audit?who=nobody', 'Take a filter away'],
] as const

describe.skipIf(browserMissing() !== undefined)('people and the audit in the portal', () => {
  let service: LocalService
  let browser: Browser
  let portal: Portal

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
    portal = browser.portal(service.url, { name: 'ada', password: PASSWORD })
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

  const grants = () => service.api<{ readonly items: readonly GrantView[] }>('GET', '/v1/grants')

  test('in light and dark, wide and on a phone every page shows what it should and shuts nobody out', LOOKING, async () => {
    await using visitor = await portal.visit('/people')
    const { page } = visitor
    const wrong: string[] = []
    for (const [name, path, sign] of PLACES) {
      await page.goto(path)
      await page.getByText(sign).first().waitFor()
      wrong.push(...(await visitor.looks(`people-${name}`)))
    }
    await page.goto('/audit')
    await page.getByRole('table').getByRole('button').first().click()
    await page.getByText(/^All that/).waitFor()
    wrong.push(...(await visitor.looks('people-audit-record')))

    expect({ wrong, complaints: visitor.complaints }).toEqual({ wrong: [], complaints: [] })
  })

  test('a person is made, signs in with what was shown once, and sees only what is hers', async () => {
    await using visitor = await portal.visit('/people')
    const { page } = visitor
    await page.getByRole('button', { name: 'New person' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('cleo')
    await page.getByRole('button', { name: 'Make the account' }).click()
    const once = String(await page.locator('pre').textContent())
    expect(await visitor.look('people-made')).toEqual([])
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
    expect(await other.look('people-without-rights')).toEqual([])
    expect([...visitor.complaints, ...other.complaints]).toEqual([])
  })

  test('a role is given on a store, shown where it is, and taken away', async () => {
    await using visitor = await portal.visit('/people/bea')
    const { page } = visitor
    await page.getByRole('button', { name: 'Give a role' }).click()
    await page.getByRole('combobox', { name: 'Where' }).click()
    await page.getByRole('option', { name: 'store lake' }).click()
    await page.getByRole('radio', { name: 'store-owner' }).check()
    expect(await visitor.look('people-give-role')).toEqual([])
    await page.getByRole('button', { name: 'Give the role' }).click()
    await page.getByRole('link', { name: 'store lake' }).waitFor()
    expect((await grants()).items).toContainEqual(expect.objectContaining({ to: 'person/bea', role: 'store-owner', on: 'store/lake' }))

    await page.getByRole('button', { name: 'Take the role store-owner on store lake from person bea' }).click()
    await page.getByRole('button', { name: 'Take away', exact: true }).click()
    await page.getByText('None by itself').waitFor()
    expect((await grants()).items.filter(({ to }) => to === 'person/bea')).toEqual([])
    expect(visitor.complaints).toEqual([])
  })

  test('somebody is put into a group, taken out of it, and back', async () => {
    await using visitor = await portal.visit('/groups/analysts')
    const { page } = visitor
    const members = async () => (await service.api<GroupView>('GET', '/v1/groups/analysts')).memberList.map(({ who }) => who)
    await page.getByRole('combobox', { name: 'Who joins' }).fill('person/ada')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Put in' }).click()
    await page.getByRole('link', { name: 'ada' }).waitFor()
    expect((await members()).toSorted()).toEqual(['person/ada', 'person/bea'])

    await page.getByRole('button', { name: 'Take out person ada of analysts' }).click()
    await page.getByText('person ada is out of analysts').waitFor()
    expect(await members()).toEqual(['person/bea'])
    await page.getByRole('button', { name: 'Put back' }).click()
    await page.getByRole('link', { name: 'ada' }).waitFor()
    expect(visitor.complaints).toEqual([])
  })

  test('a provider is set up, with the roles of its groups, and offered at the sign-in', async () => {
    await using visitor = await portal.visit('/providers')
    const { page } = visitor
    await page.getByRole('button', { name: 'New provider' }).click()
    await page.getByRole('textbox', { name: 'Name' }).first().fill('corp')
    await page.getByLabel('Title').fill('Corporate')
    await page.getByLabel('Issuer').fill('https://login.example.net')
    await page.getByLabel('Client id').fill('postern')
    await page.getByRole('combobox', { name: 'E-mail domains' }).fill('example.net')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Add a group' }).click()
    await page.getByRole('textbox', { name: 'Group', exact: true }).fill('ops')
    await page.getByRole('button', { name: 'Set it up' }).click()

    await page.getByRole('heading', { name: 'Corporate' }).waitFor()
    expect(await service.api('GET', '/v1/oidc/corp')).toMatchObject({ allowDomains: ['example.net'], roles: { ops: 'reader' } })
    await using other = await browser.visitor(service.url)
    await other.page.goto('/')
    await other.page.getByRole('link', { name: /Corporate/ }).waitFor()
    expect([...visitor.complaints, ...other.complaints]).toEqual([])
  })

  test('a token that was made in the portal opens what its maker may, until it is deleted by name', async () => {
    await using visitor = await portal.visit('/tokens')
    const { page } = visitor
    await page.getByRole('button', { name: 'New token' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('laptop')
    await page.getByRole('button', { name: 'Limits of each query' }).click()
    await page.getByLabel('Most rows').fill('5000')
    expect(await visitor.look('people-new-token')).toEqual([])
    await page.getByRole('button', { name: 'Make the token' }).click()
    const authorization = `Bearer ${String(await page.locator('pre').textContent()).trim()}`
    await page.getByRole('button', { name: 'Close', exact: true }).last().click()
    expect((await service.fetch('GET', '/v1/people', undefined, { authorization })).status).toBe(200)

    await page.getByRole('button', { name: 'Delete token laptop' }).click()
    await page.getByLabel('Type laptop to delete it').fill('laptop')
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('laptop', { exact: true }).waitFor({ state: 'detached' })
    await waitFor(
      'the token opens nothing',
      async () => (await service.fetch('GET', '/v1/people', undefined, { authorization })).status === 401,
    )
    expect(visitor.complaints).toEqual([])
  })

  test('the filters of the audit stand in the address and hold for its export', async () => {
    await using visitor = await portal.visit('/audit?action=grant')
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
    const bea = { name: 'bea', password: PASSWORD }
    await using here = await browser.visitor(service.url)
    await using there = await browser.visitor(service.url)
    for (const one of [here, there]) {
      await one.page.goto('/account')
      await one.signIn(bea)
    }
    await here.page.getByLabel('The one you have').fill(PASSWORD)
    await here.page.getByLabel('New password').fill('quite another gate')
    await here.page.getByLabel('The new one again').fill('quite another gate')
    await here.page.getByRole('button', { name: 'Change it' }).click()
    await here.page.getByText('Your password is changed').waitFor()

    await waitFor(
      'the other one is out',
      async () => (await there.page.evaluate('fetch("/v1/sign-in").then((answer) => answer.status)')) === 401,
    )
    await there.page.getByRole('link', { name: 'your own' }).click()
    await there.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    await signIn(there.page, 'bea', 'quite another gate')
    await there.page.getByRole('heading', { name: 'Tokens' }).waitFor()
    expect([...here.complaints, ...there.complaints]).toEqual([])
  })

  test('an account is deleted only by who types its name', async () => {
    await service.api('POST', '/v1/people', { name: 'dan', password: PASSWORD, role: 'reader' })
    await using visitor = await portal.visit('/people/dan')
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
