/**
 * What somebody does at the portal who has it before him for the first time. Each step goes by what the page before it says and
 * offers: a step that needs an address to be typed, or a word that stands nowhere, shows what the portal leaves out.
 */
import type { Page } from 'playwright-core'
import type { PostgresAddress } from './postgres-server.ts'

export interface Account {
  readonly name: string
  readonly password: string
}

/** With the token of the service, at the first visit; ends signed in. */
export async function makeFirstAdministrator(page: Page, token: string, { name, password }: Account): Promise<void> {
  await page.getByLabel("Administrator's token").fill(token)
  await page.getByLabel('Your name').fill(name)
  await page.getByRole('textbox', { name: 'Password' }).last().fill(password)
  await page.getByRole('button', { name: 'Make it and sign in' }).click()
  await page.getByRole('heading', { name: 'Gateways' }).waitFor()
}

/** Gives the line that makes a machine its first node; its dialog stays open and waits for that. */
export async function makeGateway(page: Page, name: string): Promise<string> {
  await page.getByRole('button', { name: 'New gateway' }).click()
  const dialog = page.getByRole('dialog', { name: 'New gateway' })
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByRole('button', { name: 'Make the gateway' }).click()
  const line = await dialog.getByRole('region', { name: 'In one line' }).locator('pre').textContent()
  await dialog.getByText('Waits for a machine to join').waitFor()
  return line?.trim() ?? ''
}

export interface PostgresStore {
  readonly name: string
  readonly at: PostgresAddress & { readonly name: string }
}

/** On the page of a new store; ends on the page of that store. */
export async function fillPostgresStore(page: Page, { name, at }: PostgresStore): Promise<void> {
  await choose(page, 'Kind', 'PostgreSQL')
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name)
  await page.getByLabel('Host').fill(at.host)
  await page.getByLabel('Port').fill(String(at.port))
  await page.getByLabel('Database').fill(at.name)
  await page.getByLabel('User').fill(at.user)
  await page.getByRole('textbox', { name: 'Password' }).fill(at.password)
  // The fingerprint of the key that it is sealed to.
  await page.getByText(/^[0-9a-f]{4}( [0-9a-f]{4})+/).waitFor()
}

export async function makeStore(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Make the store' }).click()
  await page.getByRole('heading', { name, exact: true }).waitFor()
}

/** Browses to a table of a schema, on the page of a new copy whose source is chosen. */
export async function pickTable(page: Page, schema: string, table: string): Promise<void> {
  await page.getByRole('button', { name: 'Browse…' }).click()
  await page.getByRole('button', { name: schema, exact: true }).click()
  await page.getByRole('checkbox', { name: `Copy ${table}` }).check()
  await page.getByRole('button', { name: 'Take it' }).click()
}

export async function choose(page: Page, label: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: label }).click()
  await page.getByRole('option', { name: option, exact: true }).click()
}
