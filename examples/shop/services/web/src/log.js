// One JSON object per line on stdout.

const write = (level) => (message, fields = {}) => {
  const line = { time: new Date().toISOString(), level, message, ...fields };
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

export const log = { info: write("info"), error: write("error") };
