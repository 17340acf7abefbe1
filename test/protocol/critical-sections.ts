import t from 'tap';
import { CriticalSections, type SectionName } from '../../src/protocol/critical-sections.js';

const NEVER = new Promise<never>(() => {});

/** Sections, and what they have announced. */
function watched() {
  const announced: (SectionName | undefined)[] = [];
  return { announced, sections: new CriticalSections((name) => announced.push(name)) };
}

t.test('they are announced, whatever becomes of the work', async (t) => {
  const { announced, sections } = watched();
  t.equal(await sections.inside('attach', async () => 7), 7);
  await t.rejects(
    sections.inside('free', () => Promise.reject(new Error('its own'))),
    /its own/,
  );
  t.same(announced, ['attach', undefined, 'free', undefined]);
  t.equal(sections.current, undefined);
});

t.test('what is to happen outside of them waits for the last', async (t) => {
  const { sections } = watched();
  let [endOne, endOther] = [(): void => {}, (): void => {}];
  const one = sections.inside('allocate', () => new Promise<void>((resolve) => (endOne = resolve)));
  const other = sections.inside('clear', () => new Promise<void>((resolve) => (endOther = resolve)));
  let isOutside = false;
  sections.whenOutside(() => (isOutside = true));
  endOne();
  await one;
  t.notOk(isOutside);
  t.equal(sections.current, 'clear');
  endOther();
  await other;
  t.ok(isOutside);
  let again = false;
  sections.whenOutside(() => (again = true));
  t.ok(again, 'and at once when there is none');
});

t.test('two of the same name are two', async (t) => {
  const { sections } = watched();
  let [endOne, endOther] = [(): void => {}, (): void => {}];
  const one = sections.inside('free', () => new Promise<void>((resolve) => (endOne = resolve)));
  const other = sections.inside('free', () => new Promise<void>((resolve) => (endOther = resolve)));
  endOne();
  await one;
  t.equal(sections.current, 'free');
  endOther();
  await other;
  t.equal(sections.current, undefined);
});

t.test('one that does not end is given up, sooner when the primary is gone', async (t) => {
  const { sections, announced } = watched();
  const stuck = sections.inside('attach', () => NEVER);
  sections.primaryDied();
  await t.rejects(stuck, { code: 'ERR_PRIMARY_GONE' });
  t.equal(sections.current, 'attach', 'and is never left');
  t.same(announced, ['attach']);
});
