from collections.abc import Sequence

from keras_axlstm.data.prepare.shard_job import ShardJob


def write_shards_with_beam(
    job: ShardJob, numbers: Sequence[int], runner: str, options: Sequence[str]
) -> None:
    """Make shards in an Apache Beam pipeline, one element a shard.

    The workers read the source and write to the output folder under the paths they have here: both
    must be on a file system that they share.

    Raises:
        ImportError: Apache Beam is not installed.
        ValueError: there is no such runner.
    """
    try:
        import apache_beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise ImportError(
            "--runner needs Apache Beam: pip install 'keras-axlstm[beam]', in an environment "
            "without TensorFlow, whose protobuf it cannot share."
        ) from error
    pipeline_options = PipelineOptions([f"--runner={runner}", *options])
    with apache_beam.Pipeline(options=pipeline_options) as pipeline:
        _ = (
            pipeline
            | "Shards" >> apache_beam.Create(list(numbers))
            | "Spread" >> apache_beam.Reshuffle()
            | "Write" >> apache_beam.Map(job.write)
        )
