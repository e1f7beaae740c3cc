# One job per experiment: the tables that the next tool opens, and the report.


rule export:
    input:
        trajectories=files("smooth", MOVIES),
        index=files("index", MOVIES),
    output:
        out=at("trajectories.csv"),
        hdf5=tables("hdf5"),
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
        version=stage_version("export"),
    shell:
        "python -m herdbook.export --trajectories {input.trajectories:q} --index {input.index:q}"
        " --out {output.out:q} --hdf5 {output.hdf5:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"


rule report:
    input:
        index=files("index", MOVIES),
        background=files("background", UNITS),
        blobs=files("segment", MOVIES),
        tracklets=files("tracklets", MOVIES),
        identities=files("propagate", RECORDINGS),
        evidence=files("classify", MOVIES if MARKED else []),
        trajectories=files("smooth", MOVIES),
        table=at("trajectories.csv"),
        card=[at("train/classifier.json")] if MARKED else [],
        truth=[source(EXPERIMENT.score.truth)] if EXPERIMENT.score else [],
    output:
        out=at("report/report.html"),
        score=(
            [at("report/score.json"), at("report/score.txt")]
            if EXPERIMENT.score
            else []
        ),
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
        version=stage_version("report"),
    shell:
        "python -m herdbook.report --index {input.index:q} --background {input.background:q}"
        " --blobs {input.blobs:q} --tracklets {input.tracklets:q} --identities {input.identities:q}"
        " --evidence {input.evidence:q} --trajectories {input.trajectories:q} --table {input.table:q}"
        " --card {input.card:q} --truth {input.truth:q} --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"
