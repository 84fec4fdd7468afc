// The benchmark's rival: MJML file → npm mjml → juice → inlined HTML, all in one process, nothing fetched.
//
//   node pipeline.mjs FILE OUT                one run, as a command: writes the HTML to OUT
//   node pipeline.mjs FILE --runs N           N timed runs after two that warm the compiler up
//
// Prints JSON: {milliseconds: [each run], bytes}.

import { readFileSync, writeFileSync } from 'node:fs'

import juice from 'juice'
import mjml2html from 'mjml'

const WARM_UPS = 2

// juice() inlines what <style> holds and knows no network; only its juiceResources() would fetch. Quotes of font names
// arrive as references, which it has to decode first.
async function inlined(file) {
  const { html } = await mjml2html(readFileSync(file, 'utf8'), { fonts: {}, ignoreIncludes: true })
  return juice(html, { decodeStyleAttributes: true })
}

const [file, outOrFlag, runs] = process.argv.slice(2)
let html = ''
const milliseconds = []
if (outOrFlag === '--runs') {
  for (let run = -WARM_UPS; run < Number(runs); run += 1) {
    const start = performance.now()
    html = await inlined(file)
    if (run >= 0) milliseconds.push(performance.now() - start)
  }
} else {
  html = await inlined(file)
  writeFileSync(outOrFlag, html)
}
process.stdout.write(JSON.stringify({ milliseconds, bytes: Buffer.byteLength(html) }))
