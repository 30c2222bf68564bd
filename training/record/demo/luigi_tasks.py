"""A few Luigi tasks that depend on one another."""

import luigi


class Part(luigi.Task):
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(f"part-{self.number}.txt")

    def run(self):
        with self.output().open("w") as file:
            file.write("done")


class All(luigi.WrapperTask):
    count = luigi.IntParameter()

    def requires(self):
        return [Part(number) for number in range(self.count)]
