/** Pictures of the tour: written to docs/images/portal when they are asked for (`npm run tour`), else to artefacts, to be looked at. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@postern/testkit/browser.ts'
import { ROOT } from '../tools/steps.ts'

/** Set by scripts/tour.ts. */
export const ASKED_FOR = 'POSTERN_TOUR'
/** They are part of every clone. */
const MOST_BYTES = 150_000

export const isAskedFor = process.env[ASKED_FOR] === '1'
const FOLDER = isAskedFor ? join(ROOT, 'docs', 'images', 'portal') : join(ROOT, 'artefacts', 'tour')

/** The window's upper `height` pixels, NAME.png. */
export async function takePicture(page: Page, name: string, height = 800): Promise<void> {
  const { width = 1280 } = page.viewportSize() ?? {}
  await page.setViewportSize({ width, height })
  await page.mouse.move(width - 1, height - 1)
  await page.evaluate('scrollTo(0, 0)')
  const bytes = await page.screenshot({ animations: 'disabled', caret: 'hide' })
  if (bytes.length > MOST_BYTES) throw new Error(`${name}.png has ${bytes.length} bytes: more than ${MOST_BYTES}. Show less of the page.`)
  await mkdir(FOLDER, { recursive: true })
  await writeFile(join(FOLDER, `${name}.png`), bytes)
}
