# One job per recording: who is in which tracklet.


rule propagate:
    input:
        blobs=inspected(
            lambda wildcards: files("segment", RECORDINGS[wildcards.recording])
        ),
        tracklets=inspected(
            lambda wildcards: files("tracklets", RECORDINGS[wildcards.recording])
        ),
        evidence=lambda wildcards: files(
            "classify", RECORDINGS[wildcards.recording] if NAMED else []
        ),
        facts=given(PLAN.facts),
    output:
        out=at("propagate/{recording}.h5"),
        doubtful=[at("propagate/{recording}.doubtful.csv")] if NAMED else [],
    log:
        at("logs/propagate/{recording}.log"),
    benchmark:
        at("benchmarks/propagate/{recording}.tsv")
    conda:
        "../../envs/herdbook.yaml"
    threads: 1
    resources:
        mem_mb=scaled(8000),
        runtime=scaled(240),
    params:
        settings=settings("propagate"),
        version=version("propagate"),
    shell:
        "python -m herdbook.stages.propagate --blobs {input.blobs:q} --tracklets {input.tracklets:q}"
        " --evidence {input.evidence:q} --facts {input.facts:q} --out {output.out:q}"
        " --settings {params.settings:q} --threads {threads} > {log:q} 2>&1"
