/** What was found is drawn in the next frames; a fault may be about no field at all. */
const MOST_FRAMES = 60

/** What is wrong may stand far above the button that found it: the first such field comes into sight and takes the keyboard. */
export function showProblem(form: HTMLFormElement): void {
  let frames = 0
  const look = () => {
    const field = form.querySelector<HTMLElement>('[aria-invalid="true"]')
    frames += 1
    if (!field && frames < MOST_FRAMES) requestAnimationFrame(look)
    field?.scrollIntoView({ block: 'center' })
    field?.focus({ preventScroll: true })
  }
  requestAnimationFrame(look)
}
