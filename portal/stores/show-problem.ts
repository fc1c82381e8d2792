/** What is wrong may stand far above the button that found it: the first such field comes into sight and takes the keyboard. */
export function showProblem(form: HTMLFormElement): void {
  // After what was found is drawn.
  requestAnimationFrame(() => {
    const field = form.querySelector<HTMLElement>('[aria-invalid="true"]')
    field?.scrollIntoView({ block: 'center' })
    field?.focus({ preventScroll: true })
  })
}
