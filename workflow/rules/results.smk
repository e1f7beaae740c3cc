# One job per experiment: the tables that the next tool opens, and the report.


# On a cluster these run where Snakemake runs, without waiting in the queue: they only read results.
localrules:
    export,
    report,


rule export:
    input:
        trajectories=files("smooth", MOVIES),
        index=files("index", MOVIES),
        blobs=files("segment", MOVIES),
        tracklets=files("tracklets", MOVIES),
        identities=files("propagate", RECORDINGS),
        points=files("points", MOVIES),
        poses=given(movie.poses[0] for movie in EXPERIMENT.movies if movie.poses),
        doubtful=PLAN.doubts,
        noted=given(PLAN.noted),
        repaired=PLAN.repaired,
        found=files("pose", MOVIES if EXPERIMENT.pose else []),
    output:
        out=at("trajectories.csv"),
        hdf5=PLAN.hdf5_table,
        tables=PLAN.tables,
        formats=PLAN.tool_files,
        poses=PLAN.pose_tables,
        mistakes=PLAN.mistake_tables,
        review=(
            [
                report(
                    at("doubtful.csv"),
                    caption="../report/doubtful.rst",
                    category="Where to look",
                )
            ]
            if NAMED
            else []
        ),
        record=at("provenance/export.json"),
    log:
        at("logs/export/export.log"),
    benchmark:
        at("benchmarks/export/export.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(8000),
        runtime=scaled(60),
    params:
        settings=settings("export"),
        version=version("export"),
    shell:
        "python -m herdbook.stages.export --trajectories {input.trajectories:q} --index {input.index:q}"
        " --blobs {input.blobs:q} --tracklets {input.tracklets:q} --identities {input.identities:q}"
        " --points {input.points:q} --poses {input.poses:q} --doubtful {input.doubtful:q} --noted {input.noted:q}"
        " --out {output.out:q} --hdf5 {output.hdf5:q} --review {output.review:q}"
        " --pose_tables {output.poses:q} --tables {output.tables:q} --formats {output.formats:q}"
        " --repaired {input.repaired:q} --mistakes {output.mistakes:q} --found {input.found:q}"
        " --record {output.record:q} --made {output:q}"
        " --settings - --threads {threads} > {log:q} 2>&1 <<< {params.settings:q}"


rule report:
    input:
        movie=list(FILES.values()),
        index=files("index", MOVIES),
        background=files("background", SCENES),
        blobs=files("segment", MOVIES),
        tracklets=files("tracklets", MOVIES),
        identities=files("propagate", RECORDINGS),
        evidence=files("classify", MOVIES if NAMED else []),
        trajectories=files("smooth", MOVIES),
        table=at("trajectories.csv"),
        card=[at("train/classifier.json")] if NAMED else [],
        truth=given([EXPERIMENT.score.truth] if EXPERIMENT.score else []),
        answers=given(
            [EXPERIMENT.animals.answers] if EXPERIMENT.animals.answers else []
        ),
        events=at("events.csv"),
        masks=given(EXPERIMENT.masks.values()),
        review=[at("doubtful.csv")] if NAMED else [],
        tables=[
            *PLAN.hdf5_table,
            *PLAN.tables,
            *PLAN.tool_files,
            *PLAN.pose_tables,
            *PLAN.mistake_tables,
        ],
        repaired=PLAN.repaired,
        points=files(
            "points", [movie for movie in MOVIES if EXPERIMENT.has_points(movie)]
        ),
    output:
        out=report(
            at("report/report.html"), caption="../report/page.rst", category="Report"
        ),
        score=(
            [
                at("report/score.json"),
                report(
                    at("report/score.txt"),
                    caption="../report/score.rst",
                    category="Compared with the truth",
                ),
            ]
            if EXPERIMENT.score
            else []
        ),
        record=at("provenance/report.json"),
    log:
        at("logs/report/report.log"),
    benchmark:
        at("benchmarks/report/report.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(8000),
        runtime=scaled(60),
    params:
        settings=settings("report"),
        version=version("report"),
    shell:
        "python -m herdbook.stages.report --movie {input.movie:q} --masks {input.masks:q} --events {input.events:q}"
        " --index {input.index:q} --background {input.background:q}"
        " --blobs {input.blobs:q} --tracklets {input.tracklets:q} --identities {input.identities:q}"
        " --evidence {input.evidence:q} --trajectories {input.trajectories:q} --table {input.table:q}"
        " --card {input.card:q} --truth {input.truth:q} --answers {input.answers:q} --review {input.review:q} --tables {input.tables:q}"
        " --repaired {input.repaired:q} --points {input.points:q}"
        " --out {output.out:q} --record {output.record:q} --made {output:q}"
        " --settings - --threads {threads} > {log:q} 2>&1 <<< {params.settings:q}"
