/** A real Chromium for tests of pages. It needs the system's own (package chromium): nothing is downloaded. */
import { accessSync, constants } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, join, resolve } from 'node:path'
import { type BrowserContext, type Browser as Chromium, chromium, type Page } from 'playwright-core'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** Screenshots of a run, for people: not kept in the repository. */
const ARTEFACTS = resolve(import.meta.dirname, '..', 'artefacts', 'portal')

/** Nobody looks at more. */
const MOST_PIXELS = 12_000

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** For tests of other rooms, which know the browser by this file alone. */
export type { Page }

export type Scheme = 'light' | 'dark'
export type Width = 1280 | 390

/** In which every page is looked at. */
export const LOOKS: readonly (readonly [Scheme, Width])[] = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
  ['dark', 390],
]

/** Undefined where it can be started, else why not. */
export function browserMissing(): string | undefined {
  return program() === undefined ? 'chromium (package chromium) is missing' : undefined
}

function program(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  return folders
    .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

export class Browser implements AsyncDisposable {
  readonly #chromium: Chromium

  private constructor(started: Chromium) {
    this.#chromium = started
  }

  /** `flags`: more of Chromium's own. */
  static async start(flags: readonly string[] = []): Promise<Browser> {
    const executablePath = program()
    if (executablePath === undefined) throw new Error(browserMissing())
    return new Browser(await chromium.launch({ executablePath, args: [...FLAGS, ...flags] }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium.close()
  }

  /** A visitor with an empty cache and no cookies. */
  async visitor(origin: string, look: { readonly scheme?: Scheme; readonly width?: Width } = {}): Promise<Visitor> {
    const { scheme = 'light', width = 1280 } = look
    const context = await this.#chromium.newContext({
      baseURL: origin,
      colorScheme: scheme,
      viewport: { width, height: width === 390 ? 844 : 800 },
    })
    return new Visitor(context, await context.newPage(), origin, `${scheme}-${width}`)
  }
}

/** One person at one screen: what the pages did wrong meanwhile is kept. */
export class Visitor implements AsyncDisposable {
  readonly page: Page
  /** Errors in the console and of scripts; requests to elsewhere. */
  readonly complaints: string[] = []
  readonly #context: BrowserContext
  readonly #look: string

  constructor(context: BrowserContext, page: Page, origin: string, look: string) {
    this.#context = context
    this.page = page
    this.#look = look
    // A 401 before the sign-in, or a 404 that a test asks for, is said on the console too: it is an answer and no fault of the page.
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) this.complaints.push(message.text())
    })
    page.on('pageerror', (cause) => this.complaints.push(cause.message))
    page.on('request', (request) => {
      if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:')) this.complaints.push(`asked ${request.url()}`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close()
  }

  /** At the page that asks for it; the page that was asked for comes after it. */
  async signIn({ name, password }: { readonly name: string; readonly password: string }): Promise<void> {
    const { page } = this
    await page.getByRole('textbox', { name: 'Name' }).fill(name)
    await page.getByRole('textbox', { name: 'Password' }).fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('navigation', { name: 'Main' }).waitFor({ state: 'attached' })
  }

  /** A screenshot, and what is wrong with what it shows: barriers, and what hangs over the window. */
  async look(name: string): Promise<readonly string[]> {
    await this.shot(name)
    const pixels = await this.overhang()
    return [...(await this.barriers()).map((barrier) => `${name}: ${barrier}`), ...(pixels > 0 ? [`${name} hangs over by ${pixels}`] : [])]
  }

  /** artefacts/portal/NAME-SCHEME-WIDTH.png: the whole page, in a window that is as high as it. */
  async shot(name: string): Promise<void> {
    await mkdir(ARTEFACTS, { recursive: true })
    const { page } = this
    const window = page.viewportSize()
    const height: number = await page.evaluate('document.documentElement.scrollHeight')
    const grows = window !== null && height > window.height
    if (grows) await page.setViewportSize({ width: window.width, height: Math.min(height, MOST_PIXELS) })
    await page.screenshot({ path: join(ARTEFACTS, `${name}-${this.#look}.png`), animations: 'disabled' })
    if (grows) await page.setViewportSize(window)
  }

  /** By how many pixels the page is wider than the window: nobody shall scroll sideways. */
  overhang(): Promise<number> {
    return this.page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
  }

  /** What keeps somebody from using the page (WCAG 2.2 A and AA, by axe): each as "rule: element". */
  async barriers(): Promise<readonly string[]> {
    await this.page.evaluate(await axeSource())
    // As text: it runs in the page, whose globals are not ours.
    const found: AxeResult = await this.page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(RULES)} })`)
    return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
  }
}

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
}

let axeText: Promise<string> | undefined
function axeSource(): Promise<string> {
  axeText ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  return axeText
}
